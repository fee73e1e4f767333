-- The version of a price series that the catalog has.
select
    price_path,
    digest,
    adjustment,
    regular_hours,
    prepended_bars,
    origin_bars,
    epoch_us(origin_ts) as origin_ts,
    origin_digest
from internal.price_series
where symbol = $symbol and timeframe = $timeframe;
