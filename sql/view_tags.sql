-- One row per tag: what somebody said about a strategy, or about one trace of it.
with placed as (
    select
        t.tag,
        t.note,
        t.tagged_at,
        t.trace_id,
        f.strategy_id as traced_id,
        -- A strategy that was unknown when it was tagged, and now is known, has another key.
        coalesce(f.strategy_key, s.strategy_key, n.strategy_key, t.strategy_key) as strategy_key
    from tag as t
    left join trace_file as f on f.trace_id = t.trace_id
    left join strategy as s on s.strategy_key = t.strategy_key
    left join (
        select run_id || '/' || strategy_id as former_key, min(strategy_key) as strategy_key
        from trace_file
        where
            strategy_hash is not null
            and run_id || '/' || strategy_id in (select strategy_key from tag)
        group by run_id, strategy_id
        having count(distinct strategy_key) = 1
    ) as n on n.former_key = t.strategy_key
),
named as (
    select strategy_key, min(strategy_id) as strategy_id
    from trace_file
    where strategy_key in (select strategy_key from placed)
    group by strategy_key
)
select
    p.tag,
    p.strategy_hash,
    p.strategy_key,
    p.strategy_type,
    p.strategy_id,
    p.trace_id,
    p.note,
    p.tagged_at
from (
    select
        p.*,
        s.strategy_hash,
        s.strategy_type,
        coalesce(p.traced_id, n.strategy_id) as strategy_id
    from placed as p
    left join strategy as s on s.strategy_key = p.strategy_key
    left join named as n on n.strategy_key = p.strategy_key
) as p;
