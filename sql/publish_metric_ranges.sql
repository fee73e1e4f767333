-- Which bars of each price series a metric set looks at; sets are named by their terms.
select
    r.symbol,
    r.timeframe,
    s.cost_bps,
    s.fill,
    s.range_start,
    s.range_end,
    s.last_days,
    p.digest as price_digest,
    r.from_ts,
    r.to_ts
from internal.metric_range as r
join internal.metric_set as s using (set_id)
join internal.price_series as p using (symbol, timeframe);
