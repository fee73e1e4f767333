-- Traces that packs hold, and that no row knows.
select p.pack_path, p.trace_id
from packed_trace as p
anti join trace_file as t using (trace_id)
order by all;
