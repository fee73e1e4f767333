-- The rows of registered trace files in the columns of signals. The files are a path, or a list of
-- them: a literal, or getvariable('files'). Of a pack, the rows of all its traces.
create or replace macro trace(files) as table
select
    r.idx,
    case
        when regexp_matches(r.ts, ':\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$')
        then try_cast(r.ts as timestamptz)
    end as ts,
    r.sym,
    try_cast(r.val as double) as val,
    r.val as state,
    r.strat,
    r.px,
    r.idx - f.idx_base as bar_index,
    f.trace_id,
    f.run_id,
    f.strategy_hash,
    f.strategy_id,
    f.strategy_type,
    f.symbol,
    f.timeframe
from read_parquet(
    files,
    filename = true,
    schema = map {
        'idx': {name: 'idx', type: 'BIGINT', default_value: null},
        'ts': {name: 'ts', type: 'VARCHAR', default_value: null},
        'sym': {name: 'sym', type: 'VARCHAR', default_value: null},
        'val': {name: 'val', type: 'VARCHAR', default_value: null},
        'strat': {name: 'strat', type: 'VARCHAR', default_value: null},
        'px': {name: 'px', type: 'DOUBLE', default_value: null},
        'trace_id': {name: 'trace_id', type: 'VARCHAR', default_value: null}
    }
) as r
join trace_files as f
    on case when r.trace_id is null then r.filename else r.trace_id end
        = case when r.trace_id is null then f.path else f.trace_id end
where f.status = 'registered';
