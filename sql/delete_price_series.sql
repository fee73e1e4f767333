-- Forget the version of a price series that there is.
delete from internal.price_series
where symbol = $symbol and timeframe = $timeframe;
