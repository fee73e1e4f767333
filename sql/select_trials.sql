-- How many were tried on each data of a metric set, and how what they earned varies. Data is what a
-- trace's range and the set's have in common. What is not known on these terms and can be measured
-- no more counts with what it earned on others.
with ranged as (
    select
        t.symbol,
        t.timeframe,
        greatest(t.from_ts, r.from_ts) as from_ts,
        least(t.to_ts, r.to_ts) as to_ts,
        t.content_digest,
        bool_and(t.is_flat) as is_flat
    from internal.trial as t
    join internal.metric_range as r
        on
            r.set_id = $set_id
            and r.symbol = t.symbol
            and r.timeframe = t.timeframe
            and t.from_ts <= r.to_ts
            and t.to_ts >= r.from_ts
    group by all
),
own as (
    from internal.trial_figure
    where set_id = $set_id
),
others as (
    select
        symbol,
        timeframe,
        from_ts,
        to_ts,
        content_digest,
        arg_max(sharpe_session, measured_at) as sharpe_session,
        arg_max(drift_sharpe, measured_at) as drift_sharpe
    from internal.trial_figure
    where set_id <> $set_id
    group by all
),
waiting as (
    select distinct t.symbol, t.timeframe, t.content_digest
    from internal.trace_file as t
    anti join internal.metric as m
        on m.trace_id = t.trace_id and m.set_id = $set_id and m.period = 'all' and m.regime is null
    where t.kind = 'signal' and t.status = 'registered'
),
known as (
    select
        t.*
        replace (coalesce(o.is_flat, t.is_flat) as is_flat),
        case
            when o.content_digest is null then x.sharpe_session
            else o.sharpe_session
        end as sharpe_session,
        case when o.content_digest is null then x.drift_sharpe else o.drift_sharpe end as drift_sharpe,
        o.content_digest is null and w.content_digest is not null as is_waiting
    from ranged as t
    left join own as o using (symbol, timeframe, from_ts, to_ts, content_digest)
    left join others as x using (symbol, timeframe, from_ts, to_ts, content_digest)
    left join waiting as w using (symbol, timeframe, content_digest)
)
select
    symbol,
    timeframe,
    from_ts,
    to_ts,
    count(*) as tried,
    count(*) filter (is_flat) as flat,
    count(*) filter (not is_flat) as trials,
    count(*) filter (not is_flat and is_waiting) as waiting,
    coalesce(var_samp(sharpe_session) filter (not is_flat), 0) as variance,
    avg(drift_sharpe) filter (not is_flat and sharpe_session is not null) as drift
from known
group by symbol, timeframe, from_ts, to_ts;
