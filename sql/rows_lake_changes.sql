-- The rows of signal traces, or of classifiers, that a lake has and this machine has not.
select
    r.idx,
    r.ts,
    r.sym,
    r.val,
    r.strat,
    r.px,
    r.ts_raw,
    r.bar_index,
    f.trace_id,
    f.run_id,
    f.strategy_hash,
    f.strategy_id,
    f.strategy_type,
    f.symbol,
    f.timeframe
from read_parquet($files) as r
join internal.lake_trace as l on l.trace_id = r.trace_id and l.writer = r.writer
join trace_files as f on f.trace_id = r.trace_id
where
    l.lake_id = $lake
    and l.is_read
    and f.kind in ('signal', 'classifier')
    and f.status = 'registered'
    and f.trace_number is null
    and f.has_original = false;
