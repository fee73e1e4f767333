-- Strategies that two writers of a lake know by one hash, and by other configurations.
select
    strategy_hash,
    min(config_digest) as known,
    max(config_digest) as coming
from lake_strategies
group by strategy_hash
having min(config_digest) <> max(config_digest)
order by strategy_hash;
