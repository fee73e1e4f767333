-- The traces of a strategy, $strategy_key: the latest ones first, each with its default figures.
select
    t.trace_id,
    t.run_id,
    t.strategy_id,
    t.kind,
    t.symbol,
    t.timeframe,
    t.first_ts,
    t.last_ts,
    t.last_bar - t.first_bar + 1 as bars,
    t.change_count,
    t.is_flat,
    t.is_latest,
    t.status,
    t.path,
    m.sharpe,
    m.total_return,
    m.max_drawdown
from trace_files as t
left join metrics as m
    on m.trace_id = t.trace_id and m.is_default and m.period = 'all' and m.regime is null
where t.strategy_key = $strategy_key
order by t.kind = 'signal' desc, t.is_latest desc, t.last_ts desc nulls last, t.symbol, t.trace_id
limit 500;
