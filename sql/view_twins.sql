-- Traces that behave alike under different configurations, a row a trace.
with known as (
    -- 20 and 20.0 are one configuration here; whether an unknown one differs nobody knows.
    select
        t.*,
        coalesce(s.config_key, s.strategy_key) as configuration
    from trace_files as t
    join strategies as s using (strategy_key)
    where
        t.status = 'registered'
        and t.kind in ('signal', 'classifier')
        and s.strategy_hash is not null
),
alike as (
    select
        content_digest,
        count(distinct configuration) as strategies
    from known
    group by content_digest
    having count(distinct configuration) > 1
)
select
    k.content_digest,
    a.strategies,
    k.is_flat,
    k.strategy_hash,
    k.strategy_key,
    k.strategy_type,
    k.strategy_id,
    k.run_id,
    k.trace_id,
    k.kind,
    k.symbol,
    k.timeframe
from known as k
join alike as a using (content_digest);
