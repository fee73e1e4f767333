-- What composite strategies are made of: all of them, or those of the chosen traces.
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
from components
where getvariable('publish_all') or parent in (select strategy_key from meant);
