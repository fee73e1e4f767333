-- What the strategy earned each month, as fractions, without cost.
with months as (
    select
        year(session_date) as year,
        month(session_date) as month,
        product(1 + ret_gross) - 1 as earned
    from daily_returns
    where trace_id = $trace
    group by all
)
select
    year,
    any_value(earned) filter (month = 1) as jan,
    any_value(earned) filter (month = 2) as feb,
    any_value(earned) filter (month = 3) as mar,
    any_value(earned) filter (month = 4) as apr,
    any_value(earned) filter (month = 5) as may,
    any_value(earned) filter (month = 6) as jun,
    any_value(earned) filter (month = 7) as jul,
    any_value(earned) filter (month = 8) as aug,
    any_value(earned) filter (month = 9) as sep,
    any_value(earned) filter (month = 10) as oct,
    any_value(earned) filter (month = 11) as nov,
    any_value(earned) filter (month = 12) as dec,
    product(1 + earned) - 1 as total
from months
group by year
order by year;
