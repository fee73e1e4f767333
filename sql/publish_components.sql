-- What composite strategies are made of: all of them, or those of the chosen traces.
select *
from components
where getvariable('publish_all') or parent in (select strategy_key from meant);
