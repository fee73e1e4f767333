-- The files of opened lakes that rows are read from, with their sizes when they were opened.
select
    case when l.is_relative then getvariable('catalog_root') || '/' else '' end
    || l.place || '/' || f.path as path,
    f.size_bytes,
    count(*) as traces
from internal.lake_file as f
join internal.lake as l using (lake_id)
join internal.lake_trace as t on t.file_id = f.file_id and t.is_read
group by all
order by path;
