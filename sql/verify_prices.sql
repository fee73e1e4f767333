-- The files of price series, and what their bars are.
select
    price_path,
    bar_count,
    digest,
    symbol,
    timeframe,
    time_zone,
    bar_label
from internal.price_series
order by price_path;
