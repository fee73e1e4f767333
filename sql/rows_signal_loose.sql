-- The rows of signal files that are in no pack.
select
    r.idx,
    case
        when regexp_matches(r.ts, ':\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$')
        then try_cast(r.ts as timestamptz)
    end as ts,
    r.sym,
    try_cast(r.val as double) as val,
    r.strat,
    r.px,
    case
        when f.generation = 'G5'
        then strftime(try_cast(r.ts as timestamptz) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')
        else r.ts
    end as ts_raw,
    r.idx - f.idx_base as bar_index,
    f.trace_id,
    f.run_id,
    f.strategy_hash,
    f.strategy_id,
    f.strategy_type,
    f.symbol,
    f.timeframe
from read_parquet(
    $files,
    filename = true,
    schema = map {
        'idx': {name: 'idx', type: 'BIGINT', default_value: null},
        'ts': {name: 'ts', type: 'VARCHAR', default_value: null},
        'sym': {name: 'sym', type: 'VARCHAR', default_value: null},
        'val': {name: 'val', type: 'VARCHAR', default_value: null},
        'strat': {name: 'strat', type: 'VARCHAR', default_value: null},
        'px': {name: 'px', type: 'DOUBLE', default_value: null}
    }
) as r
join trace_files as f on f.path = r.filename
where f.kind = 'signal' and f.status = 'registered' and f.trace_number is null;
