-- What a comparison says of a strategy.
select strategy_hash, strategy_type, config_key, config::varchar
from strategy
where strategy_key = $strategy_key;
