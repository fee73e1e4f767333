-- The composite strategies of some types that have a trace on a symbol and timeframe, newest last.
select
    s.config_key,
    s.config,
    max(epoch_us(coalesce(t.created_at, to_timestamp(t.mtime_ns / 1000000000)))) as made_us
from trace_file as t
join strategy as s using (strategy_key)
where
    t.symbol = $symbol
    and t.timeframe = $timeframe
    and t.status = 'registered'
    and s.is_composite
    and s.config is not null
    and s.config_key is not null
    and ($types is null or list_contains($types, t.strategy_type))
group by all
order by made_us, s.config_key;
