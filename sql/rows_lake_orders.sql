-- The rows of orders that a lake has and this machine has not; whose they are the lake says.
select
    r.idx,
    r.bar_index,
    r.ts,
    r.ts_raw,
    r.sym,
    r.order_id,
    r.position_id,
    r.side,
    r.quantity,
    r.order_type,
    r.price,
    r.order_created_at,
    r.strategy_id,
    r.strategy_hash,
    r.strategy_type,
    f.trace_id,
    f.run_id,
    r.symbol,
    r.timeframe
from read_parquet($files) as r
join internal.lake_trace as l on l.trace_id = r.trace_id and l.writer = r.writer
join trace_files as f on f.trace_id = r.trace_id
where
    l.lake_id = $lake
    and l.is_read
    and f.kind = 'order'
    and f.status = 'registered'
    and f.trace_number is null
    and f.has_original = false;
