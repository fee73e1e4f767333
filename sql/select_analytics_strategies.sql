-- The strategies of a run with their parameters.
select strategy_name, strategy_type, parameters::varchar
from run.main.strategies
where strategy_name is not null and strategy_type is not null and parameters is not null;
