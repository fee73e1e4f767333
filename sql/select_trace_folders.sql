-- The folders that scans have seen, each with what a glob over it would meet.
with registered as (
    select directory_id, any_value(run_id) as run_id
    from trace_file
    where
        kind = $kind
        and status = 'registered'
        and layout is null
        and trace_number is null
        and has_original is distinct from false
    group by directory_id
),
foreign_file as (
    select directory_id
    from other_file
    where
        status <> 'hidden'
        and file_name like '%.parquet'
        -- A pattern may meet it: it can be read, and rows of what is not registered do not count.
        and reason is distinct from 'forgotten'
    union
    select directory_id
    from trace_file
    where status = 'registered' and contains(file_name, '\')
    union
    -- What is packed is read from the pack.
    select directory_id
    from trace_file
    where status = 'registered' and kind = $kind and trace_number is not null and has_original
    union
    select directory_id
    from trace_file
    where status = 'registered' and kind <> $kind and kind not in ('signal', 'classifier')
),
hidden as (
    -- In them are folders that a scan does not enter, and `**` does.
    select distinct directory_id
    from other_file
    where status = 'hidden' or reason = 'its name is not UTF-8'
)
select
    d.directory_id,
    -- A root above the catalog's folder has folders of both sorts.
    case when d.is_relative and not r.is_relative then '' else r.prefix end as root,
    d.is_relative <> r.is_relative as is_split,
    coalesce(o.prefix, d.prefix) as run,
    d.prefix,
    d.is_relative,
    -- No pattern meets what lies below a backslash, which DuckDB takes for a slash.
    f.directory_id is null and not contains(d.prefix, '\') as is_clean,
    h.directory_id is not null as has_hidden,
    d.is_linked,
    t.directory_id is not null as has_files
from directory as d
join root as r using (root_id)
left join registered as t using (directory_id)
left join run as u using (run_id)
left join directory as o on o.directory_id = u.directory_id and starts_with(d.prefix, o.prefix)
left join foreign_file as f on f.directory_id = d.directory_id
left join hidden as h on h.directory_id = d.directory_id
where t.directory_id is not null or f.directory_id is not null or h.directory_id is not null
order by d.prefix;
