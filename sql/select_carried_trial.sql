-- What the table trial has of some price series.
select t.*
from internal.trial as t
semi join incoming_series as i using (symbol, timeframe)
order by all;
