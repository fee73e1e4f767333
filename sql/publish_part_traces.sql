-- The traces whose rows are read for one file of the lake, with what the views say of them.
create or replace temp table part_trace as
select *
from trace_files
where trace_id in (select key from incoming_key);
