-- Strategies that behaved as a trace, $trace_id, did: the same changes of signal on the same data,
-- under a configuration that means something else. As the view twins says it, for one trace.
with own as (
    select
        t.content_digest,
        t.kind,
        t.symbol,
        coalesce(s.config_key, s.strategy_key) as configuration
    from trace_files as t
    join strategies as s using (strategy_key)
    where t.trace_id = $trace_id and s.strategy_hash is not null
)
select
    t.strategy_key,
    t.strategy_type,
    t.strategy_id,
    t.run_id,
    t.trace_id,
    count(*) over () as twins
from trace_files as t
join strategies as s using (strategy_key)
join own
    on
        own.content_digest = t.content_digest
        and own.kind = t.kind
        and own.symbol is not distinct from t.symbol
        and own.configuration <> coalesce(s.config_key, s.strategy_key)
where t.status = 'registered' and s.strategy_hash is not null
order by t.strategy_id, t.trace_id
limit 50;
