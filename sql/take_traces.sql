-- Take traces in. Of two rows of one trace that counts which has a file here, else a pack, then the
-- later one; its file is where the trace is, and the other one's is a copy.
create or replace temp table placed as
select i.* exclude (prefix, is_relative), d.directory_id, false as is_latest
from taken_trace as i
join directory as d using (prefix, is_relative);

-- Who knows the configuration of a trace tells who does not.
update placed as p
set
    strategy_hash = t.strategy_hash,
    strategy_key = t.strategy_key,
    strategy_type = t.strategy_type,
    latest_key = t.latest_key,
    config_source = t.config_source,
    claimed_hash = t.claimed_hash
from trace_file as t
where t.trace_id = p.trace_id and p.config_source = 'unknown' and t.config_source <> 'unknown';

update trace_file as t
set
    strategy_hash = p.strategy_hash,
    strategy_key = p.strategy_key,
    strategy_type = p.strategy_type,
    latest_key = p.latest_key,
    config_source = p.config_source,
    claimed_hash = p.claimed_hash
from placed as p
where t.trace_id = p.trace_id and t.config_source = 'unknown' and p.config_source <> 'unknown';

create or replace temp table paired as
select
    p.trace_id,
    (
        p.status = 'registered',
        case
            when p.has_original is distinct from false then 2
            when p.trace_number is not null then 1
            else 0
        end,
        p.registered_at,
        p.file_digest
    ) > (
        t.status = 'registered',
        case
            when t.has_original is distinct from false then 2
            when t.trace_number is not null then 1
            else 0
        end,
        t.registered_at,
        t.file_digest
    ) as is_better
from placed as p
join trace_file as t using (trace_id);

create or replace temp table copied as
select
    l.directory_id,
    l.file_name,
    l.file_size_bytes,
    l.mtime_ns,
    l.trace_id,
    l.registered_at as seen_at
from (
    select p.*
    from placed as p
    semi join (select trace_id from paired where not is_better) as w using (trace_id)
    union all by name
    select t.*
    from trace_file as t
    semi join (select trace_id from paired where is_better) as w using (trace_id)
) as l
where l.status = 'registered' and l.has_original is distinct from false;

delete from trace_file
where trace_id in (select trace_id from paired where is_better);

delete from placed
where trace_id in (select trace_id from paired where not is_better);

-- One file holds one trace: the one that was read out of it last.
create or replace temp table clashing as
select
    p.trace_id as theirs,
    t.trace_id as ours,
    (p.status = 'registered', p.registered_at, p.trace_id)
    > (t.status = 'registered', t.registered_at, t.trace_id) as is_later
from placed as p
join trace_file as t using (directory_id, file_name);

delete from trace_file
where trace_id in (select ours from clashing where is_later);

delete from placed
where trace_id in (select theirs from clashing where not is_later);

insert into trace_file by name
select * from placed;
