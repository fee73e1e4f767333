-- Changes of position a year by band width (rows) and period (columns), mean over the symbols.
with counted as (
    select
        strategies.param_period as period,
        strategies.param_std_dev as std_dev,
        -- Each of these traces begins flat, with a row that counts but changes no position.
        (trace_files.change_count - 1)
            / (date_diff('day', trace_files.first_ts, trace_files.last_ts) / 365.25) as changes
    from trace_files
    join strategies using (strategy_hash)
    where strategies.strategy_type = 'bollinger_bands'
)
select
    std_dev,
    round(avg(changes) filter (where period = 10), 1) as period_10,
    round(avg(changes) filter (where period = 20), 1) as period_20,
    round(avg(changes) filter (where period = 50), 1) as period_50,
    round(avg(changes) filter (where period = 100), 1) as period_100
from counted
group by std_dev
order by std_dev;
