-- The strategy that each strategy_id of a run stands for; none where it stands for several.
select
    run_id,
    strategy_id,
    case when count(distinct strategy_key) = 1 then min(strategy_hash) end as strategy_hash,
    case when count(distinct strategy_key) = 1 then min(strategy_key) end as strategy_key,
    case when count(distinct strategy_key) = 1 then min(strategy_type) end as strategy_type,
    case when count(distinct symbol) = 1 then min(symbol) end as symbol,
    case when count(distinct timeframe) = 1 then min(timeframe) end as timeframe
from (
    select run_id, strategy_id, strategy_hash, strategy_key, strategy_type, symbol, timeframe
    from trace_file
    where kind = 'signal'
    union all by name
    select run_id, strategy_id, strategy_hash, strategy_key, strategy_type
    from event_strategy
) as known
group by run_id, strategy_id;
