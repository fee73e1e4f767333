-- What the traces of $trace_ids earned each session, net of cost, numbered from 0 in that order.
with chosen as (
    select
        unnest($trace_ids::varchar[]) as trace_id,
        unnest(range(len($trace_ids::varchar[]))) as number
),
gross as (
    select trace_id, session_date, ret_gross, turnover
    from daily_returns
    where $fill = 'close'
    union all
    select trace_id, session_date, ret_gross, turnover
    from daily_returns_next_open
    where $fill = 'next_open'
)
select
    c.number,
    g.session_date,
    g.ret_gross - $cost * g.turnover as net
from gross as g
join chosen as c using (trace_id)
where
    g.session_date >= coalesce($first::date, g.session_date)
    and g.session_date <= coalesce($last::date, g.session_date);
