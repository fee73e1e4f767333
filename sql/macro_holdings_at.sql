-- What every strategy held at a time, or at a bar: a row per signal trace whose range covers it.
-- Before its first change a strategy holds 0. Call it as
-- holdings_at(moment := '2024-03-26 14:00:00+00') or as holdings_at(bar := 500).
create or replace macro holdings_at(moment := null, bar := null) as table
select
    f.trace_id,
    f.run_id,
    f.strategy_hash,
    f.strategy_id,
    f.strategy_type,
    f.symbol,
    f.timeframe,
    f.is_latest,
    coalesce(h.position, 0.0) as position,
    h.from_bar,
    h.from_ts
from trace_files as f
left join holdings as h
    on
        h.trace_id = f.trace_id
        and (moment is null or h.from_ts <= moment::timestamptz)
        and (moment is null or h.is_last or h.to_ts > moment::timestamptz)
        and (bar is null or h.from_bar <= bar)
        and (bar is null or h.is_last or h.to_bar > bar)
where
    f.kind = 'signal'
    and f.status = 'registered'
    and (moment is not null or bar is not null)
    and (moment is null or (f.first_ts <= moment::timestamptz and f.last_ts >= moment::timestamptz))
    and (bar is null or (f.first_bar <= bar and f.last_bar >= bar));
