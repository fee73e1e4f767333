-- A trace, $trace_id, of which strategy, on what data and where from.
select
    t.trace_id,
    t.strategy_key,
    t.strategy_id,
    t.run_id,
    t.symbol,
    t.timeframe,
    t.first_ts,
    t.last_ts,
    t.last_bar - t.first_bar + 1 as bars,
    t.change_count,
    t.is_flat,
    t.is_latest,
    t.status
from trace_files as t
where t.trace_id = $trace_id;
