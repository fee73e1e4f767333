-- Strategies that behaved as a trace, $trace_id, did: the same changes of signal on the same data.
select
    t.strategy_key,
    t.strategy_type,
    t.strategy_id,
    t.run_id,
    t.trace_id,
    count(*) over () as twins
from twins as t
join twins as own using (content_digest)
where
    own.trace_id = $trace_id
    and t.strategy_key <> own.strategy_key
    and t.symbol is not distinct from own.symbol
order by t.strategy_id, t.trace_id
limit 50;
