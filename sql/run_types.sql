-- The types of the measured strategies of a run, $run, the most strategies first, and how many of them
-- have a later trace in another run.
select
    strategy_type,
    count(*) as strategies,
    count(*) filter (not is_latest) as superseded
from strategy_index
where run_id = $run and strategy_type is not null and sharpe is not null
group by strategy_type
order by strategies desc, strategy_type;
