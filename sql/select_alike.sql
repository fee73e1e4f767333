-- Contents that several configurations have, the flat and constant ones marked.
with known as (
    -- 20 and 20.0 are one configuration; whether an unknown one differs nobody knows.
    select
        t.*,
        coalesce(s.config_key, s.strategy_key) as configuration
    from trace_file as t
    join strategy as s using (strategy_key)
    where
        t.status = 'registered'
        and t.kind in ('signal', 'classifier')
        and s.strategy_hash is not null
),
one_each as (
    select
        content_digest,
        configuration,
        any_value(kind) as kind,
        any_value(symbol) as symbol,
        any_value(timeframe) as timeframe,
        min(strategy_hash) as strategy_hash,
        min(strategy_type) as strategy_type,
        min(strategy_id) as strategy_id,
        min(trace_id) as trace_id,
        min(run_id) as run_id,
        count(*) as traces,
        -- A classifier that never leaves its first state tells no more than a flat signal.
        bool_and(coalesce(is_flat, change_count <= 1)) as is_flat,
        max(change_count) as changes,
        max(first_bar) as first_bar,
        min(last_bar) as last_bar,
        min(first_bar) as earliest_bar,
        max(last_bar) as latest_bar,
        sum(file_size_bytes) as size_bytes,
        $only is null or bool_or(trace_id in (select unnest($only::varchar[]))) as is_meant
    from known
    group by content_digest, configuration
)
select
    case when bool_and(is_flat) then 'flat' else 'same behaviour' end as finding,
    count(*) as strategies,
    sum(traces)::bigint as traces,
    count(distinct strategy_type) as types,
    any_value(kind) as kind,
    any_value(symbol) as symbol,
    any_value(timeframe) as timeframe,
    max(changes) as changes,
    -- The range that all were evaluated over: beyond it nobody knows whether they are alike.
    max(first_bar) as first_bar,
    min(last_bar) as last_bar,
    coalesce(
        max(first_bar) = min(earliest_bar) and min(last_bar) = max(latest_bar),
        true
    ) as is_one_range,
    (list(strategy_hash order by strategy_type, strategy_id, strategy_hash))[1:5] as strategy_hashes,
    (list(strategy_id order by strategy_type, strategy_id, strategy_hash))[1:5] as strategy_ids,
    (list(distinct strategy_type order by strategy_type))[1:5] as strategy_types,
    (list(trace_id order by strategy_type, strategy_id, strategy_hash))[1:5] as trace_ids,
    content_digest,
    sum(size_bytes)::bigint as size_bytes
from one_each
group by content_digest
having count(*) > 1 and bool_or(is_meant)
order by bool_and(is_flat), strategies desc, content_digest;
