-- The traces that packs hold, and the rows of those that are read from there.
select
    p.pack_path,
    p.trace_id,
    p.trace_number,
    t.row_count
from packed_trace as p
left join trace_file as t
    on
        t.trace_id = p.trace_id
        and t.trace_number = p.trace_number
        and t.pack_path = p.pack_path
        and t.status = 'registered'
order by p.pack_path, p.trace_number;
