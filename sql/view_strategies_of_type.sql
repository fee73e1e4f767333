-- The strategies of one type, with that type's parameters only.
select
    strategy_hash,
    strategy_key,
    config,
    constraints,
    config_source
from strategy
where strategy_type = $strategy_type;
