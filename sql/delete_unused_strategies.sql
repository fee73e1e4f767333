-- Forget strategies that nothing was traced with, and that no strategy in use is made of.
create or replace temp table used as
with recursive in_use as (
    select strategy_key from trace_file where strategy_key is not null
    union
    select strategy_key from event_strategy
    union
    select c.child_key as strategy_key
    from in_use as u
    join component as c on c.parent_key = u.strategy_key
)
select strategy_key from in_use;

delete from strategy where strategy_key not in (select strategy_key from used);

delete from component where parent_key not in (select strategy_key from used);
