-- The strategies of another catalog.
select
    strategy_key,
    strategy_hash,
    config_digest,
    kind,
    strategy_type,
    cast(config as varchar) as config,
    config_source,
    claimed_hash,
    registered_at
from internal.strategy;
