-- The rows of signals or classifiers that another lake has, with what is known of them by now.
select
    r.* exclude (writer)
    replace (
        f.run_id as run_id,
        f.strategy_hash as strategy_hash,
        f.strategy_id as strategy_id,
        f.strategy_type as strategy_type,
        f.symbol as symbol,
        f.timeframe as timeframe
    )
from lake_rows as r
join part_trace as f using (trace_id);
