-- The trace that goes by an id or by the path of its file.
select trace_id, strategy_key
from trace_files
where trace_id = $reference or path = $path
order by status = 'registered' desc
limit 1;
