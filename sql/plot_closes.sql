-- The closes of a price series from one bar to another, in the market's own time.
select
    ts_local as ts,
    close
from bars
where symbol = $symbol and timeframe = $timeframe and bar_index between $first_bar and $last_bar
order by bar_index;
