-- The packs that hold registered traces.
select distinct pack_path
from trace_file
where trace_number is not null and status = 'registered'
order by pack_path;
