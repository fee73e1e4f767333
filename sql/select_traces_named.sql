-- The traces that go by a name of their own: an id or a path.
select trace_id
from trace_files
where trace_id = $reference or path = $path;
