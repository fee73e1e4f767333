-- The signal traces that a name means: the trace itself, or of each symbol and timeframe the latest one
-- of those that have it as their strategy's id, else of all of the strategy.
with own as (
    select
        trace_id,
        symbol,
        timeframe,
        is_latest,
        last_ts,
        last_bar,
        trace_id = $reference or trace_path = $path as is_trace,
        coalesce(strategy_id = $reference, false) as is_named
    from strategy_index
    where strategy_key = $strategy_key
)
select trace_id
from own
where
    case
        when (select bool_or(is_trace) from own) then is_trace
        when (select bool_or(is_named) from own) then is_named
        else true
    end
qualify
    is_trace
    or row_number() over (
        partition by symbol, timeframe
        order by is_latest desc, last_ts desc nulls last, last_bar desc nulls last, trace_id
    ) = 1
order by symbol, timeframe, trace_id;
