-- Where the prices of a symbol and timeframe are, relative to the catalog's folder.
select price_path
from internal.price_series
where symbol = $symbol and timeframe = $timeframe;
