-- The strategy that others are compared with.
select strategy_hash, strategy_type, kind, config_key
from strategy
where strategy_key = $strategy_key;
