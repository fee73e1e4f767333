-- The strategies that one is part of, the nearest first.
select l.ancestor, s.strategy_type, l.depth
from lineage as l
join strategies as s on s.strategy_key = l.ancestor
where l.descendant = $strategy_key
order by l.depth, l.ancestor;
