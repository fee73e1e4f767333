-- What each trial earned in each metric set, and on which prices; sets are named by their terms.
select
    f.symbol,
    f.timeframe,
    f.from_ts,
    f.to_ts,
    f.content_digest,
    s.cost_bps,
    s.fill,
    s.range_start,
    s.range_end,
    s.last_days,
    p.digest as price_digest,
    f.is_flat,
    f.sharpe_session,
    f.drift_sharpe,
    f.measured_at
from internal.trial_figure as f
join internal.metric_set as s using (set_id)
join internal.price_series as p using (symbol, timeframe);
