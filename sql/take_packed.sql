-- Say in which pack the rows are of traces that came out of another catalog's packs.
insert into packed_trace by name
select trace_id, trace_number, pack_path
from taken_packed
semi join trace_file using (trace_id)
anti join packed_trace as p using (trace_id);
