-- The ledger of trials: all of it, or what this transaction wrote.
select
    'trial' as part,
    cast(null as integer) as set_id,
    symbol,
    timeframe,
    from_ts,
    to_ts,
    content_digest,
    is_flat,
    cast(null as double) as sharpe_session,
    cast(null as double) as drift_sharpe,
    tried_at as noted_at
from internal.trial
where $all or tried_at = now()
union all
select
    'figure' as part,
    set_id,
    symbol,
    timeframe,
    from_ts,
    to_ts,
    content_digest,
    is_flat,
    sharpe_session,
    drift_sharpe,
    measured_at as noted_at
from internal.trial_figure
where $all or measured_at = now()
union all
-- There is a row a series and set: all of them each time cost nothing.
select
    'range' as part,
    set_id,
    symbol,
    timeframe,
    from_ts,
    to_ts,
    null as content_digest,
    null as is_flat,
    null as sharpe_session,
    null as drift_sharpe,
    now() as noted_at
from internal.metric_range;
