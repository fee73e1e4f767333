-- How many were tried on each data of a metric set, and how what they earned varies.
select
    symbol,
    timeframe,
    start_bar,
    bar_count,
    count(*) as tried,
    count(*) filter (is_flat) as flat,
    count(*) filter (not is_flat) as trials,
    count(sharpe_session) filter (not is_flat) as measured,
    coalesce(var_samp(sharpe_session) filter (not is_flat), 0) as variance,
    coalesce(avg(drift_sharpe) filter (not is_flat and sharpe_session is not null), 0) as drift
from trial
where set_id = $set_id
group by symbol, timeframe, start_bar, bar_count;
