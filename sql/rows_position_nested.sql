-- The rows of position events that keep everything in a nested column, as older tracers wrote them.
select
    r.filename,
    r.idx,
    r.ts::varchar as ts,
    r.sym,
    coalesce(r.event->>'$.strategy_id', r.event->>'$.metadata.strategy_id') as strategy_id,
    case when json_exists(r.event, '$.exit_price') then 'close' else 'open' end as event,
    r.event->>'$.position_id' as position_id,
    try_cast(r.event->>'$.quantity' as double) as quantity,
    try_cast(r.event->>'$.entry_price' as double) as entry_price,
    try_cast(r.event->>'$.exit_price' as double) as exit_price,
    try_cast(r.event->>'$.realized_pnl' as double) as realized_pnl,
    r.event->>'$.exit_type' as exit_type,
    r.event->>'$.exit_reason' as exit_reason
from (
    select filename, idx, ts, sym, to_json(metadata) as event
    from read_parquet($files, filename = true, union_by_name = true)
) as r;
