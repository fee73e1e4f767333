-- Let the row that was written last say where a strategy is from, and in which order it is made of
-- which others: the configuration is kept in another order than it was written in.
create or replace temp table later as
select i.strategy_key
from taken_strategy as i
join strategy as s using (strategy_key)
where i.registered_at > s.registered_at;

delete from component
where
    parent_key in (select strategy_key from later)
    and parent_key in (select parent_key from taken_component);

insert into component by name
select *
from taken_component
where parent_key in (select strategy_key from later);

update strategy as s
set
    kind = i.kind,
    strategy_type = i.strategy_type,
    config_source = i.config_source,
    claimed_hash = i.claimed_hash,
    registered_at = i.registered_at
from taken_strategy as i
where
    i.strategy_key = s.strategy_key
    and (i.config is not null or s.config is null)
    and (i.registered_at, i.config_source, coalesce(i.claimed_hash, ''), i.kind)
    > (s.registered_at, s.config_source, coalesce(s.claimed_hash, ''), s.kind);

-- What strategies that came are made of, and nobody said apart.
update strategy
set registered_at = now()
where registered_at = timestamptz '0001-01-01 00:00:00+00';
