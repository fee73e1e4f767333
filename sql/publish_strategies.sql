-- All strategies, or those of the chosen traces and what these are made of.
with recursive meant as (
    select strategy_key
    from trace_file
    where trace_id in (select trace_id from chosen)
    union
    select c.child_key
    from component as c
    join meant as m on m.strategy_key = c.parent_key
)
select *
from strategies
where getvariable('publish_all') or strategy_key in (select strategy_key from meant);
