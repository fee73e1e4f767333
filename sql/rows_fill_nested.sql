-- The rows of fills that keep everything in a nested column, as older tracers wrote them.
select
    r.filename,
    r.idx,
    r.ts::varchar as ts,
    r.sym,
    coalesce(r.event->>'$.strategy_id', r.event->>'$.metadata.strategy_id') as strategy_id,
    r.event->>'$.fill_id' as fill_id,
    r.event->>'$.order_id' as order_id,
    r.event->>'$.position_id' as position_id,
    r.event->>'$.side' as side,
    try_cast(r.event->>'$.quantity' as double) as quantity,
    try_cast(r.event->>'$.price' as double) as price,
    try_cast(r.event->>'$.commission' as double) as commission
from (
    select filename, idx, ts, sym, to_json(metadata) as event
    from read_parquet($files, filename = true, union_by_name = true)
) as r;
