-- The stretches over which a trace held a position, in the market's own time. Where the trace knows
-- no times of its bars, those of its prices at the same bars.
select
    coalesce(timezone(p.time_zone, h.from_ts), a.ts_local) as from_ts,
    coalesce(timezone(p.time_zone, h.to_ts), b.ts_local) as to_ts,
    h.position
from holdings as h
left join price_series as p on p.symbol = h.symbol and p.timeframe = h.timeframe
left join bars as a
    on
        h.from_ts is null
        and a.symbol = h.symbol
        and a.timeframe = h.timeframe
        and a.bar_index = h.from_bar + $shift
left join bars as b
    on
        h.to_ts is null
        and b.symbol = h.symbol
        and b.timeframe = h.timeframe
        and b.bar_index = h.to_bar + $shift
where h.trace_id = $trace_id
order by h.from_bar;
