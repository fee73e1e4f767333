-- The traces whose file is gone, and that the lake does not have from before.
select
    trace_id,
    path
from missing
where trace_id not in (select key from entry);
