-- The strategies whose hash begins with some digits.
select strategy_key
from strategy
where starts_with(strategy_hash, $reference)
order by strategy_key;
