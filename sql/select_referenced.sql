-- The strategies that go by a reference: the best sort of match that there is.
with matches as (
    select strategy_key, 1 as rank
    from strategies
    where strategy_key = $reference or strategy_hash = $reference
    union all
    select strategy_key, 2 as rank
    from trace_files
    where trace_id = $reference or path = $path
    union all
    select strategy_key, 3 as rank
    from trace_files
    where strategy_id = $reference
    union all
    select strategy_key, 4 as rank
    from strategies
    where length($reference) >= 4 and starts_with(strategy_hash, $reference)
)
select distinct strategy_key
from matches
where strategy_key is not null and rank = (select min(rank) from matches)
order by strategy_key;
