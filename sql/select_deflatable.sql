-- The figures of a metric set that its trials deflate.
select
    m.trace_id,
    f.symbol,
    f.timeframe,
    m.from_ts,
    m.to_ts,
    m.sessions,
    m.sharpe_session,
    m.skew,
    m.kurtosis
from metric as m
join trace_file as f using (trace_id)
where m.set_id = $set_id and m.period = 'all' and m.regime is null and m.start_bar is not null;
