-- What the table metric_range has of some price series.
select t.*
from internal.metric_range as t
semi join incoming_series as i using (symbol, timeframe)
order by all;
