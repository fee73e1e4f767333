-- What the measured traces of a lake earned in each metric set, for the ledger of trials.
select
    m.set_id,
    t.symbol,
    t.timeframe,
    m.from_ts,
    m.to_ts,
    t.content_digest,
    bool_and(m.time_in_market = 0) as is_flat,
    arg_max(m.sharpe_session, m.computed_at) as sharpe_session,
    arg_max(m.drift_sharpe, m.computed_at) as drift_sharpe,
    max(m.computed_at) as measured_at
from taken_metric as m
join taken_trace as t using (trace_id)
where
    m.period = 'all'
    and m.regime is null
    and m.start_bar is not null
    and m.from_ts is not null
    and m.to_ts is not null
    and t.symbol is not null
    and t.timeframe is not null
group by all;
