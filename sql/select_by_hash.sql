-- The strategy of a hash, which is its key.
select strategy_key
from strategy
where strategy_key = $reference;
