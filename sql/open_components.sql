-- What composite strategies of a lake are made of, as the writer says who registered them last.
select
    c.parent as parent_key,
    c.child as child_key,
    c.position,
    c.role,
    c.weight
from lake_components as c
semi join (
    select strategy_key as parent, writer
    from lake_strategies
    qualify row_number() over (
        partition by strategy_key
        order by config is not null desc, registered_at desc, writer desc
    ) = 1
) as s on s.parent = c.parent and s.writer = c.writer;
