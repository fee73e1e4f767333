-- Which traces that are described are in which pack, under which number.
select p.trace_id, p.trace_number, p.pack_path
from internal.packed_trace as p
semi join internal.trace_file as t using (trace_id)
order by p.trace_number;
