-- The traces that are read from their own files.
select trace_id
from trace_file
where trace_number is null and status = 'registered' and has_original is distinct from false;
