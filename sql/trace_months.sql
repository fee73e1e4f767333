-- What a trace, $trace_id, earned each month, as fractions, without cost.
select
    year(session_date) as year,
    month(session_date) as month,
    product(1 + ret_gross) - 1 as earned
from daily_returns
where trace_id = $trace_id
group by all
order by all;
