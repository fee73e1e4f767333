-- By what strategies of unknown configuration, and traces, are known again in another catalog.
select
    case when t.trace_id in (select unnest($trace_ids::varchar[])) then t.trace_id end as trace_id,
    t.run_id || '/' || t.strategy_id as strategy_key,
    t.strategy_id as name,
    t.run_path as path,
    t.content_digest as content,
    d.prefix as run
from trace_file as t
join run as r using (run_id)
join directory as d on d.directory_id = r.directory_id
where
    t.trace_id in (select unnest($trace_ids::varchar[]))
    or (
        t.strategy_id in (select unnest($names::varchar[]))
        and t.run_id || '/' || t.strategy_id in (select unnest($keys::varchar[]))
    )
order by t.status = 'registered', t.run_path desc;
