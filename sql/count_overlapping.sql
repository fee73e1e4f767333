-- How many others were tried over a range that overlaps this one without being the same.
select count(distinct t.content_digest)
from internal.trial as t
join internal.metric_range as r
    on r.set_id = $set_id and r.symbol = t.symbol and r.timeframe = t.timeframe
where
    t.symbol = $symbol
    and t.timeframe = $timeframe
    and not t.is_flat
    and t.from_ts <= $to_ts
    and t.to_ts >= $from_ts
    and (greatest(t.from_ts, r.from_ts) <> $from_ts or least(t.to_ts, r.to_ts) <> $to_ts);
