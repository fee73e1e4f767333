-- One row per price series: the bars of a symbol and timeframe, and how their times are meant.
select
    p.symbol,
    p.timeframe,
    p.time_zone,
    p.bar_label,
    p.adjustment,
    p.regular_hours,
    p.bar_count,
    p.first_ts,
    p.last_ts,
    p.session_count,
    p.sessions_per_year,
    p.bars_per_year,
    p.bars_without_price,
    p.prepended_bars,
    coalesce(getvariable('catalog_root'), $root) || '/' || p.price_path as path,
    p.source_path,
    p.digest,
    p.added_at
from internal.price_series as p;
