-- The strategies of a lake. Of what several writers say that counts which was registered last.
select
    strategy_key,
    strategy_hash,
    config_digest,
    kind,
    strategy_type,
    config,
    config_source,
    claimed_hash,
    registered_at
from lake_strategies
qualify row_number() over (
    partition by strategy_key
    order by config is not null desc, registered_at desc, writer desc
) = 1;
