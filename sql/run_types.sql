-- The types of the measured strategies of a run, $run, that are of most strategies first.
select
    strategy_type,
    count(*) as strategies
from strategy_index
where run_id = $run and strategy_type is not null and sharpe is not null
group by strategy_type
order by strategies desc, strategy_type;
