-- Configurations that were traced more than once on one symbol, timeframe and range.
with known as (
    select
        t.*,
        s.config_key
    from trace_file as t
    join strategy as s using (strategy_key)
    where
        t.status = 'registered' and t.kind in ('signal', 'classifier') and s.config_key is not null
)
select
    'same configuration' as finding,
    count(*) as traces,
    count(distinct run_id) as runs,
    count(distinct strategy_hash) as hashes,
    count(distinct content_digest) as contents,
    any_value(kind) as kind,
    arg_max(strategy_hash, registered_at) as strategy_hash,
    arg_max(strategy_type, registered_at) as strategy_type,
    any_value(symbol) as symbol,
    any_value(timeframe) as timeframe,
    any_value(first_bar) as first_bar,
    any_value(last_bar) as last_bar,
    any_value(first_ts) as first_ts,
    any_value(last_ts) as last_ts,
    (list(distinct strategy_id order by strategy_id))[1:5] as strategy_ids,
    (list(distinct run_id order by run_id))[1:5] as run_ids,
    (list(trace_id order by run_id, trace_id))[1:5] as trace_ids,
    sum(file_size_bytes)::bigint as size_bytes
from known
group by config_key, known.kind, known.symbol, known.timeframe, known.first_bar, known.last_bar,
    known.first_ts, known.last_ts
having
    count(*) > 1 and ($only is null or bool_or(trace_id in (select unnest($only::varchar[]))))
order by traces desc, strategy_type, strategy_hash, symbol, timeframe, last_bar;
