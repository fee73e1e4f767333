-- One row per row of the signal traces: the changes of every strategy's position.
select
    r.idx,
    r.ts,
    r.sym,
    r.val,
    r.strat,
    r.px,
    r.ts_raw,
    r.bar_index,
    r.trace_id,
    r.run_id,
    r.strategy_hash,
    r.strategy_id,
    r.strategy_type,
    r.symbol,
    r.timeframe
from $rows as r;
