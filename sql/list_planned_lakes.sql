-- The files of lakes that have the chosen traces, by lake, with their sizes.
select
    x.lake_id,
    list(x.file order by x.file) as files,
    list(x.size_bytes order by x.file) as sizes
from (
    select distinct
        l.lake_id,
        case when l.is_relative then getvariable('catalog_root') || '/' else '' end
        || l.place || '/' || f.path as file,
        f.size_bytes
    from planned as p
    join internal.lake_trace as t using (trace_id)
    join internal.lake_file as f using (file_id)
    join internal.lake as l on l.lake_id = f.lake_id
    where p.trace_number is null and p.has_original = false and t.is_read
) as x
group by x.lake_id
order by x.lake_id;
