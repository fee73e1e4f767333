-- The traces of a strategy, $strategy_key: the latest ones first, each with its default figures. Of
-- very many the latest are enough, and those that go by $name.
with placed as (
    select
        *,
        row_number() over (
            order by
                kind = 'signal' desc, is_latest desc, last_ts desc nulls last, symbol, trace_id
        ) as place
    from trace_files
    where strategy_key = $strategy_key
),
listed as (
    select
        *,
        row_number() over (partition by strategy_id order by place) as place_of_id
    from placed
)
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
from listed as t
left join metrics as m
    on m.trace_id = t.trace_id and m.is_default and m.period = 'all' and m.regime is null
where t.place <= 500 or t.trace_id = $name or (t.strategy_id = $name and t.place_of_id = 1)
order by t.place;
