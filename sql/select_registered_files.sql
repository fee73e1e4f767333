-- The registered files, with the size and time that they had.
select
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder,
    t.file_name,
    t.file_size_bytes,
    t.mtime_ns
from trace_file as t
join directory as d using (directory_id)
where t.status = 'registered' and t.has_original is distinct from false;
