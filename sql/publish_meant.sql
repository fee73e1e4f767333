-- The strategies of the chosen traces, and those that these are made of.
create or replace temp table meant as
with recursive made_of as (
    select strategy_key
    from trace_file
    where trace_id in (select trace_id from chosen)
    union
    select c.child_key
    from component as c
    join made_of as m on m.strategy_key = c.parent_key
)
from made_of;
