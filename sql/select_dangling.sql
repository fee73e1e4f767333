-- The strategies that are made, at whatever depth, of one that is none.
with recursive above as (
    select parent_key
    from component
    where child_key not in (select strategy_key from strategy)
    union
    select c.parent_key
    from above as a
    join component as c on c.child_key = a.parent_key
)
select parent_key from above;
