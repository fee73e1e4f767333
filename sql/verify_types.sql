-- Strategies whose traces say another type than they do, where their configuration says it.
select distinct s.strategy_key
from trace_file as t
join strategy as s using (strategy_key)
where s.config is not null and t.strategy_type is distinct from s.strategy_type
order by all;
