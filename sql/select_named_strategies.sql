-- What tables say of strategies: a hash, an id of the latest trace, the type.
select
    s.strategy_key,
    s.strategy_hash,
    s.strategy_type,
    s.config_key,
    any_value(t.strategy_id order by t.is_latest desc, t.trace_id) as strategy_id
from strategy as s
join (select unnest($keys::varchar[]) as strategy_key) as wanted using (strategy_key)
left join trace_file as t using (strategy_key)
group by all;
