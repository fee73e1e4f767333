-- The price series whose bars are to be in the lake, and what these depend on.
select
    concat_ws(chr(31), symbol, timeframe) as key,
    md5_number_lower(
        concat_ws(chr(31), digest, prepended_bars, time_zone, bar_label, coalesce(regular_hours, ''))
    ) as digest,
    symbol,
    timeframe,
    bar_count as rows,
    '' as place
from price_series;
