-- The rows of registered trace files in the columns of signals. The files are a path, or a list of
-- them: a literal, or getvariable('files'). Of a pack, the rows of all its traces, so name each
-- pack once: list(distinct trace_path).
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
join (
    -- A file is known by its name first: to put all paths together would take longer than to
    -- read three hundred files. The rows of a pack are known by their trace.
    select t.*, t.file_name as key, d.prefix, d.is_relative
    from internal.trace_file as t
    join internal.directory as d using (directory_id)
    union all
    select t.*, t.trace_id as key, d.prefix, d.is_relative
    from internal.trace_file as t
    join internal.directory as d using (directory_id)
    where t.trace_number is not null
) as f on f.key = coalesce(r.trace_id, parse_filename(r.filename))
where
    f.status = 'registered'
    and case
        when r.trace_id is not null then f.trace_id = r.trace_id
        when f.is_relative then ends_with(r.filename, '/' || f.prefix || f.file_name)
        else r.filename = f.prefix || f.file_name
    end;
