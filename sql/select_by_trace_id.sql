-- The strategy of a trace.
select distinct strategy_key
from trace_file
where trace_id = $reference and strategy_key is not null;
