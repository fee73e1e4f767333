-- The strategies that orders, fills and positions of a lake name.
select distinct
    run_id,
    strategy_id,
    strategy_hash,
    strategy_hash as strategy_key,
    strategy_type
from lake_events
where strategy_id is not null and strategy_hash is not null;
