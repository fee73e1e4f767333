-- One strategy, which may be looked for at one time of registration only.
select strategy_hash, strategy_key, strategy_type, kind, config::varchar as config, constraints,
    config_source, claimed_hash, is_composite
from strategy
where
    strategy_key = $strategy_key
    and ($registered_at is null or registered_at = $registered_at);
