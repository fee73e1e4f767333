-- Which of some strategies are known, and what tells their configurations apart.
select i.strategy_key, s.config_digest, s.config_key
from incoming_key as i
join strategy as s using (strategy_key);
