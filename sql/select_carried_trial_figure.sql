-- What the table trial_figure has of some price series.
select t.*
from internal.trial_figure as t
semi join incoming_series as i using (symbol, timeframe)
order by all;
