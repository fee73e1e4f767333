-- One row per component of a composite strategy.
select
    c.parent_key as parent,
    c.child_key as child,
    c.position,
    c.role,
    c.weight,
    p.strategy_type as parent_type,
    s.strategy_type as child_type
from component as c
join strategy as p on p.strategy_key = c.parent_key
join strategy as s on s.strategy_key = c.child_key;
