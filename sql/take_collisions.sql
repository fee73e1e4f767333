-- Strategies that come and share their hash with another configuration.
select i.strategy_hash, s.config_digest as known, i.config_digest as coming
from taken_strategy as i
join strategy as s using (strategy_key)
where s.config_digest <> i.config_digest
order by i.strategy_hash;
