-- The strategies that runs gave an id.
select distinct strategy_key
from trace_file
where strategy_id = $reference and strategy_key is not null
order by strategy_key;
