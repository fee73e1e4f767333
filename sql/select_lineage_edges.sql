-- The edges of the tree below a strategy.
select parent, child, child_type, role, weight
from components
where
    parent = $strategy_key
    or parent in (select descendant from lineage where ancestor = $strategy_key)
order by parent, position;
