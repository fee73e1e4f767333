-- The table trades at a cost, and with the state that a classifier was in. cost_bps is paid one way on
-- every change of position, in basis points of equity: closing belongs to the trade that is closed, and
-- a flip is both. entry_regime is the last state of the classifier (a trace_id, or the hash or its
-- beginning, the type or the strategy_id of a latest one of the symbol) that was known at the end of
-- the entry bar, whatever the timeframes: trades_at(cost_bps := 2, classifier := 'trend').
create or replace macro trades_at(cost_bps := 0, classifier := null) as table
with named as (
    select trace_id, symbol, timeframe, last_bar, case when knows_bar_times then last_ts end as last_ts
    from trace_files
    where
        kind = 'classifier'
        and status = 'registered'
        and (
            trace_id = classifier
            or (
                is_latest
                and (
                    strategy_id = classifier
                    or strategy_type = classifier
                    or strategy_key = classifier
                    or (length(classifier::varchar) >= 6 and starts_with(strategy_hash, classifier))
                )
            )
        )
),
by_symbol as (
    select symbol, count(*) as classifiers
    from named
    group by symbol
),
marks as (
    select symbol, timeframe, bar_index, ts, val as state, 0 as after
    from classifications
    where trace_id in (select trace_id from named)
    union all
    -- What comes after its range, a classifier does not know.
    select symbol, timeframe, last_bar, last_ts, null, 1
    from named
),
states as (
    select
        m.symbol,
        coalesce(b.known_at, n.known_at) + to_microseconds(m.after) as known_at,
        m.state
    from marks as m
    join price_series as p on p.symbol = m.symbol and p.timeframe = m.timeframe
    left join bars as b on b.symbol = m.symbol and b.timeframe = m.timeframe and b.ts = m.ts
    left join bars as n
        on
            n.symbol = m.symbol
            and n.timeframe = m.timeframe
            and n.bar_index = case when m.ts is null and p.prepended_bars = 0 then m.bar_index end
    union all
    -- Without a row for every symbol DuckDB 1.2 would lose the trades.
    select distinct symbol, timestamptz '-infinity', null
    from price_series
)
select
    t.trace_id,
    t.run_id,
    t.strategy_hash,
    t.strategy_id,
    t.strategy_type,
    t.symbol,
    t.timeframe,
    t.side,
    t.size,
    t.entry_bar,
    t.entry_ts,
    t.entry_local,
    t.entry_price,
    t.exit_bar,
    t.exit_ts,
    t.exit_local,
    t.exit_price,
    t.bars_held,
    t.gross,
    t.cost,
    t.net,
    t.mae,
    t.mfe,
    t.is_overnight,
    t.is_open,
    case
        when classifier is not null and (select count(*) from named) = 0
        then error('There is no classifier ' || classifier)
        when o.classifiers > 1
        then error('Several classifiers of ' || t.symbol || ' go by ' || classifier || ': name one by its trace_id')
        else s.state
    end as entry_regime
from $trades as t
left join by_symbol as o on o.symbol = t.symbol
asof join states as s on s.symbol = t.symbol and s.known_at <= t.entry_known_at;
