-- The traces of one strategy, the latest first.
select
    run_id,
    strategy_id,
    symbol,
    timeframe,
    first_bar,
    last_bar,
    first_ts,
    last_ts,
    change_count,
    bars_long,
    bars_short,
    last_val,
    last_state,
    is_latest,
    status,
    path,
    registered_at
from trace_files
where strategy_key = $strategy_key
order by is_latest desc, last_ts desc nulls last, last_bar desc, path;
