-- The strategy of unknown configuration that goes by a key, RUN/STRATEGY_ID.
select strategy_key
from strategy
where strategy_hash is null and strategy_key = $reference;
