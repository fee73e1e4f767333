-- The version of a price series that the catalog has.
select
    price_path,
    digest,
    epoch_us(first_ts) as first_ts,
    bar_count,
    prepended_bars,
    adjustment,
    regular_hours
from internal.price_series
where symbol = $symbol and timeframe = $timeframe;
