-- Some price series, as far as they are there.
select p.*
from internal.price_series as p
semi join incoming_series as i using (symbol, timeframe)
order by p.symbol, p.timeframe;
