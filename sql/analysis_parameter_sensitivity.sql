-- Parameter sensitivity: how many signals the strategies of a type give, by a parameter's value.
-- $strategy_type is the type, $parameter the parameter's name in the configuration.
select
    s.symbol,
    s.timeframe,
    try_cast(c.config->>('$.parameters.' || $parameter) as double) as value,
    count(distinct s.trace_id) as traces,
    count(*) as changes,
    count(*) filter (s.val > 0) as long_entries,
    count(*) filter (s.val < 0) as short_entries,
    count(*) / count(distinct s.trace_id) as changes_a_trace
from signals as s
join strategies as c using (strategy_hash)
where s.strategy_type = $strategy_type
group by all
order by all;
