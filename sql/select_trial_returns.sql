-- The session returns of the trials of a metric set on the same data: one trace per content, net of
-- cost, numbered from 1 and in order of time.
with chosen as (
    select any_value(m.trace_id) as trace_id
    from metric as m
    join trace_file as f using (trace_id)
    where
        m.set_id = $set_id
        and m.period = 'all'
        and m.regime is null
        and f.symbol = $symbol
        and f.timeframe = $timeframe
        and m.start_bar = $start_bar
        and m.bar_count = $bar_count
        and m.time_in_market > 0
        and m.sharpe_session is not null
    group by f.content_digest
),
sessions as (
    select
        min(session_date) as first_date,
        max(session_date) as last_date
    from bars
    where
        symbol = $symbol
        and timeframe = $timeframe
        and bar_index between $start_bar and $start_bar + $bar_count - 1
)
select
    dense_rank() over (order by d.trace_id) as number,
    d.ret_gross - $cost * d.turnover as net
from daily_returns as d
semi join chosen using (trace_id)
cross join sessions as s
where d.session_date between s.first_date and s.last_date
order by d.trace_id, d.session_date;
