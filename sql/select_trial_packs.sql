-- Where the session returns of the trials of a metric set on the same data are, one trace per content
-- that ever held a position: the packs, the numbers in each, and the first and last session.
with chosen as (
    select min(r.return_number) as return_number
    from metric as m
    join trace_file as f using (trace_id)
    join session_returns as r on r.trace_id = m.trace_id and r.fill = $fill
    where
        m.set_id = $set_id
        and m.period = 'all'
        and m.regime is null
        and f.symbol = $symbol
        and f.timeframe = $timeframe
        and m.from_ts = $from_ts
        and m.to_ts = $to_ts
        and m.time_in_market > 0
        and m.sharpe_session is not null
        and r.return_number is not null
    group by f.content_digest
)
select
    r.pack_path,
    list(r.return_number order by r.return_number) as numbers,
    (
        select min(session_date)
        from bars
        where symbol = $symbol and timeframe = $timeframe and known_at = $from_ts
    ) as first_date,
    (
        select max(session_date)
        from bars
        where symbol = $symbol and timeframe = $timeframe and known_at = $to_ts
    ) as last_date
from session_returns as r
semi join chosen using (return_number)
where r.fill = $fill
group by r.pack_path
order by min(r.return_number);
