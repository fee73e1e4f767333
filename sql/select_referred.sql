-- The strategies and traces that go by full hashes and ids.
select strategy_key, null as trace_id
from strategy
where strategy_key in (select unnest($hashes::varchar[]))
union all
select distinct strategy_key, trace_id
from trace_file
where trace_id in (select unnest($trace_ids::varchar[])) and strategy_key is not null;
