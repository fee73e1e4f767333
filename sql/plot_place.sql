-- Where a trace is among its prices: its first and last bar there, and how far bars are shifted.
select
    t.symbol,
    t.timeframe,
    min(m.start_bar) as first_bar,
    max(m.start_bar + m.bar_count) - 1 as last_bar,
    coalesce(min(m.start_bar) - t.first_bar, 0) as shift
from strategy_index as t
left join metrics as m on m.trace_id = t.trace_id and m.period = 'all' and m.regime is null
where t.trace_id = $trace_id
group by t.symbol, t.timeframe, t.first_bar;
