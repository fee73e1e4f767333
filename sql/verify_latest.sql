-- Copy what the rule of the latest traces looks at, to see what it says of all of them.
create or replace temp table trace_file as
select
    trace_id,
    directory_id,
    file_name,
    latest_key,
    symbol,
    timeframe,
    kind,
    status,
    first_bar,
    last_bar,
    last_ts,
    last_change_ts,
    mtime_ns,
    is_latest as was_latest,
    false as is_latest
from internal.trace_file;

create or replace temp table touched as
select distinct latest_key, symbol, timeframe, kind
from temp.trace_file;
