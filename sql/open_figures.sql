-- What the trials of a lake earned in each metric set on the prices that count, as measured last.
select
    s.set_id,
    f.symbol,
    f.timeframe,
    f.from_ts,
    f.to_ts,
    f.content_digest,
    f.is_flat,
    f.sharpe_session,
    f.drift_sharpe,
    f.measured_at
from lake_trial_figures as f
join lake_set as s
    on
        s.cost_bps = f.cost_bps
        and s.fill = f.fill
        and s.range_start is not distinct from f.range_start
        and s.range_end is not distinct from f.range_end
        and s.last_days is not distinct from f.last_days
semi join taken_price as p
    on p.symbol = f.symbol and p.timeframe = f.timeframe and p.digest = f.price_digest
qualify row_number() over (
    partition by s.set_id, f.symbol, f.timeframe, f.from_ts, f.to_ts, f.content_digest
    order by f.measured_at desc, f.sharpe_session desc nulls last, f.writer desc
) = 1;
