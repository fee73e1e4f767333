-- The best Sharpe ratio on some data, how it stands against luck, and what the data is.
select
    count(*) as traces,
    count(distinct f.content_digest) as distinct_traces,
    max(m.sharpe) as best,
    arg_max(m.deflated_sharpe, m.sharpe) as deflated,
    count(distinct f.content_digest) filter (m.deflated_sharpe >= 0.95) as beats_luck,
    any_value(m.benchmark_sharpe) as benchmark,
    any_value(m.sessions) as sessions,
    any_value(m.bar_count) as bars,
    any_value(m.sessions_per_year) as sessions_per_year,
    (
        select min(session_date)::varchar
        from bars
        where symbol = $symbol and timeframe = $timeframe and known_at = $from_ts
    ) as first_date,
    (
        select max(session_date)::varchar
        from bars
        where symbol = $symbol and timeframe = $timeframe and known_at = $to_ts
    ) as last_date
from internal.metric as m
join internal.trace_file as f using (trace_id)
where
    m.set_id = $set_id
    and m.period = 'all'
    and m.regime is null
    and f.status = 'registered'
    and f.symbol = $symbol
    and f.timeframe = $timeframe
    and m.from_ts = $from_ts
    and m.to_ts = $to_ts;
