-- Traces that behave alike under different configurations, a row a trace.
select
    content_digest,
    count(distinct strategy_key) over (partition by content_digest) as strategies,
    is_flat,
    strategy_hash,
    strategy_key,
    strategy_type,
    strategy_id,
    run_id,
    trace_id,
    kind,
    symbol,
    timeframe
from trace_files
where
    status = 'registered'
    and content_digest in (
        select content_digest
        from trace_files
        where status = 'registered' and kind in ('signal', 'classifier')
        group by content_digest
        having count(distinct strategy_key) > 1
    );
