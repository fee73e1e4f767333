-- The closes over which a trace was evaluated, in the market's own time.
select
    b.ts_local as ts,
    b.close as price
from bars as b
where
    b.symbol = $symbol
    and b.timeframe = $timeframe
    and b.bar_index between $first_bar and $last_bar
    and b.close > 0
    and not isnan(b.close)
order by b.bar_index;
