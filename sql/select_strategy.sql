-- One strategy.
select strategy_hash, strategy_key, strategy_type, kind, config::varchar as config, constraints,
    config_source, claimed_hash, is_composite
from strategies
where strategy_key = $strategy_key;
