-- Strategies that come and are not known yet, or only by their hash.
select i.*
from taken_strategy as i
left join strategy as s using (strategy_key)
where s.strategy_key is null or (s.config is null and i.config is not null);
