-- Which bars each metric set looks at of the prices that count; of several the range that ends last.
select
    s.set_id,
    r.symbol,
    r.timeframe,
    r.from_ts,
    r.to_ts
from lake_metric_ranges as r
join lake_set as s
    on
        s.cost_bps = r.cost_bps
        and s.fill = r.fill
        and s.range_start is not distinct from r.range_start
        and s.range_end is not distinct from r.range_end
        and s.last_days is not distinct from r.last_days
semi join taken_price as p
    on p.symbol = r.symbol and p.timeframe = r.timeframe and p.digest = r.price_digest
qualify row_number() over (
    partition by s.set_id, r.symbol, r.timeframe
    order by r.to_ts desc, r.from_ts, r.writer desc
) = 1;
