-- Strategies whose configuration is known, to compare what was taken out of it.
select * exclude (config), cast(config as varchar) as config
from strategy
where config is not null
order by strategy_key;
