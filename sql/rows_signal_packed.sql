-- The rows of signal traces that are in packs. A trace registered anew may have left some behind.
select
    r.idx,
    r.ts,
    r.sym,
    r.val,
    r.strat,
    r.px,
    coalesce(
        r.ts_raw,
        case
            when f.generation = 'G5'
            then strftime(r.ts at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')
            else strftime(r.ts at time zone 'UTC', '%Y-%m-%dT%H:%M:%S+00:00')
        end
    ) as ts_raw,
    r.idx - f.idx_base as bar_index,
    f.trace_id,
    f.run_id,
    f.strategy_hash,
    f.strategy_id,
    f.strategy_type,
    f.symbol,
    f.timeframe
from read_parquet($files) as r
join trace_files as f on f.trace_number = r.trace_number
where f.kind = 'signal' and f.status = 'registered';
