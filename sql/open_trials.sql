-- The strategies that were tried, as far as a lake says it: those that it has figures of. What was
-- looked at over part of its range only was tried over the whole.
select
    symbol,
    timeframe,
    from_ts,
    to_ts,
    content_digest,
    bool_and(is_flat) as is_flat,
    min(measured_at) as tried_at
from taken_figure as f
join lake_set as s using (set_id)
group by all
having bool_or(s.range_start is null and s.range_end is null and s.last_days is null);
