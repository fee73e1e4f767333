-- Some signal traces, in the order of their ids, with what a plot calls them by.
select
    t.trace_id,
    coalesce(t.strategy_id, t.strategy_hash, t.strategy_key) as strategy_id,
    t.symbol,
    t.timeframe,
    t.run_id,
    t.metrics_note
from strategy_index as t
where list_contains($trace_ids::varchar[], t.trace_id)
order by list_position($trace_ids::varchar[], t.trace_id);
