-- Where some traces are among their prices, in their order: first and last bar there, how far their
-- own bars are shifted, NULL where that is not the same for all of them.
select
    t.trace_id,
    t.symbol,
    t.timeframe,
    m.start_bar as first_bar,
    m.start_bar + m.bar_count - 1 as last_bar,
    case when m.bar_count = t.last_bar - t.first_bar + 1 then m.start_bar - t.first_bar end as shift
from strategy_index as t
join metrics as m
    on m.trace_id = t.trace_id and m.is_default and m.period = 'all' and m.regime is null
where list_contains($trace_ids::varchar[], t.trace_id)
order by list_position($trace_ids::varchar[], t.trace_id);
