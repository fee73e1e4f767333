-- All strategies, or those of the chosen traces and what these are made of.
select *
from strategies
where getvariable('publish_all') or strategy_key in (select strategy_key from meant);
