-- The price series: where each is, and what is known of it beside its bars.
select
    symbol,
    timeframe,
    price_path,
    digest,
    prepended_bars,
    sessions_per_year,
    bars_per_year,
    bar_count
from internal.price_series
order by symbol, timeframe;
