-- All price series, or those of the chosen traces.
select
    s.*,
    p.origin_bars,
    p.origin_ts,
    p.origin_digest
from price_series as s
join internal.price_series as p using (symbol, timeframe)
where
    getvariable('publish_all')
    or (s.symbol, s.timeframe) in (
        select (symbol, timeframe) from trace_file where trace_id in (select trace_id from chosen)
    );
