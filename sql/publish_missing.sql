-- The traces whose file is gone. What a lake has of them stays in it.
select trace_id, path
from trace_files
where status <> 'registered';
