-- Strategies whose digest or hash does not seem to be that of their configuration, or all of them;
-- and those whose traces say another hash.
with said as (
    select strategy_key, bool_and(strategy_hash is not distinct from hash) as is_used_alike
    from (
        select t.strategy_key, t.strategy_hash, s.strategy_hash as hash
        from trace_file as t
        join strategy as s using (strategy_key)
    )
    group by strategy_key
)
select
    s.strategy_key,
    s.strategy_hash,
    s.config_digest,
    cast(s.config as varchar) as config,
    s.config_key,
    coalesce(u.is_used_alike, true) as is_used_alike
from strategy as s
left join said as u using (strategy_key)
where
    $every
    or not coalesce(u.is_used_alike, true)
    or (
        s.config is not null
        and (
            s.config_digest is distinct from sha256(cast(s.config as varchar))
            or s.strategy_hash is distinct from left(s.config_digest, 12)
            or s.strategy_key is distinct from s.strategy_hash
            or s.config_key is null
        )
    );
