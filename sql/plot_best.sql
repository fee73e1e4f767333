-- Of each strategy, symbol and timeframe the latest trace of those that are meant and have session
-- returns, the best by Sharpe ratio first, and then by total return.
with latest as (
    select trace_id, strategy_id, sharpe, total_return
    from strategy_index
    where
        trace_id in (select trace_id from session_returns where fill = $fill)
        and ($only is null or trace_id in (select unnest($only::varchar[])))
    qualify
        row_number() over (
            partition by strategy_key, symbol, timeframe
            order by is_latest desc, last_ts desc nulls last, last_bar desc nulls last, trace_id
        ) = 1
)
select trace_id
from latest
order by sharpe desc nulls last, total_return desc nulls last, strategy_id, trace_id;
