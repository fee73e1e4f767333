-- The tags, those of one strategy where one is given.
select
    tag,
    strategy_hash,
    strategy_key,
    strategy_type,
    strategy_id,
    trace_id,
    note,
    tagged_at
from tags
where $strategy_key is null or strategy_key = $strategy_key
order by tag, tagged_at, strategy_key, trace_id;
