-- The files of forgotten traces at and below a folder, all for ''; copies of them apart.
select
    o.directory_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix || o.file_name as path,
    o.file_name,
    o.file_size_bytes,
    o.mtime_ns,
    o.trace_id,
    o.reason = 'copy of a forgotten trace' as is_copy
from other_file as o
join directory as d using (directory_id)
where
    o.reason in ('forgotten', 'forgotten events', 'copy of a forgotten trace')
    and starts_with(case when d.is_relative then $root || '/' else '' end || d.prefix, $folder)
order by path;
