-- The keys that a strategy had while its configuration was unknown.
select distinct run_id || '/' || strategy_id
from trace_file
where strategy_key = $strategy_key and strategy_id is not null;
