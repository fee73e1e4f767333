-- The traces whose session returns are read for one file of the lake.
select
    trace_id,
    return_number,
    pack_path
from returned
where fill = $fill and trace_id in (select key from incoming_key)
order by pack_path, return_number;
