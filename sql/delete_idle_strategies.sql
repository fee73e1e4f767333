-- Forget what a registration left without use: strategies that it brought, or took traces from,
-- and their components, that nothing was traced with and no strategy in use is made of.
create or replace temp table idle as
with recursive candidate as (
    select strategy_key
    from perhaps_idle
    where strategy_key is not null
    union
    select c.child_key as strategy_key
    from candidate as p
    join component as c on c.parent_key = p.strategy_key
),
user_of as (
    -- Itself, and every strategy that it is a part of.
    select strategy_key, strategy_key as used_by
    from candidate
    union
    select u.strategy_key, c.parent_key as used_by
    from user_of as u
    join component as c on c.child_key = u.used_by
),
in_use as (
    -- Few are asked about: the tables, which are large, are gone through and not sorted.
    select strategy_key
    from trace_file
    where strategy_key in (select used_by from user_of)
    union
    select strategy_key
    from event_strategy
    where strategy_key in (select used_by from user_of)
)
select strategy_key
from candidate
where
    strategy_key not in (
        select u.strategy_key
        from user_of as u
        join in_use as i on i.strategy_key = u.used_by
    );

delete from strategy where strategy_key in (select strategy_key from idle);

delete from component where parent_key in (select strategy_key from idle);
