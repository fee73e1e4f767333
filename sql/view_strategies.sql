-- One row per configuration that a registered trace was made with.
select
    strategy_hash,
    strategy_key,
    strategy_type,
    kind,
    config,
    constraints,
    config_source,
    claimed_hash,
    is_composite,
    config_key,
    config_digest,
    registered_at
from strategy;
