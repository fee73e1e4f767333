-- The files of the price series, relative to the catalog's folder.
select price_path
from internal.price_series
order by symbol, timeframe;
