-- The traces to correlate, the best by Sharpe ratio first: of each strategy, symbol and timeframe the
-- latest one that is meant and has session returns.
with latest as (
    select
        t.trace_id,
        t.strategy_id,
        t.strategy_hash,
        t.symbol,
        t.timeframe,
        t.run_id,
        t.sharpe
    from strategy_index as t
    where
        t.trace_id in (select trace_id from session_returns where fill = $fill)
        and ($only is null or t.trace_id in (select unnest($only::varchar[])))
    qualify
        row_number() over (
            partition by t.strategy_key, t.symbol, t.timeframe
            order by
                t.is_latest desc,
                t.last_ts desc nulls last,
                t.last_bar desc,
                t.trace_id
        ) = 1
)
select
    *,
    count(*) over () as meant
from latest
order by sharpe desc nulls last, strategy_id, trace_id
limit $top;
