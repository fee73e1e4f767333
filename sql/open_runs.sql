-- The runs of a lake. They lie on somebody else's machine: their folders are none of this one.
select
    run_id,
    name,
    recorded_id,
    created_at,
    registered_at,
    data_source,
    symbol,
    timeframe,
    total_bars,
    '' as records_stamp,
    null::varchar as sweep_digest,
    true as is_home,
    'lake:' || getvariable('lake_id') || '/' || writer || '/' || ltrim(root, '/') as folder
from lake_runs
qualify row_number() over (partition by run_id order by registered_at desc, writer desc) = 1;
