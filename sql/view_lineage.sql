-- One row per strategy and strategy that it is made of, directly or not.
with recursive made_of as (
    select
        parent_key as ancestor,
        child_key as descendant,
        1 as depth
    from component
    union
    select
        m.ancestor,
        c.child_key as descendant,
        m.depth + 1 as depth
    from made_of as m
    join component as c on c.parent_key = m.descendant
    -- No configuration can contain itself; a catalog that was tampered with could say so.
    where m.depth < 200
)
select
    ancestor,
    descendant,
    min(depth) as depth
from made_of
group by ancestor, descendant;
