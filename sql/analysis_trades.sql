-- Trades from sparse signals: a row per stretch of bars with a position, with its entry and exit.
-- Going from long to short ends a trade and begins another. $strategy_type is the type.
select
    h.trace_id,
    h.strategy_id,
    h.symbol,
    h.timeframe,
    case when h.position > 0 then 'long' else 'short' end as side,
    abs(h.position) as size,
    h.from_bar as entry_bar,
    case when not h.is_last then h.to_bar end as exit_bar,
    h.from_ts as entry_ts,
    case when not h.is_last then h.to_ts end as exit_ts,
    h.bars as bars_held,
    h.is_last as is_open
from holdings as h
where h.strategy_type = $strategy_type and h.position <> 0
order by h.trace_id, h.from_bar;
