-- The files that could not move, since others are known at their new places; absolute folders.
select
    rtrim(case when d.is_relative then $root || '/' else '' end || d.prefix, '/') as folder,
    t.file_name
from taken as t
join directory as d on d.directory_id = t.old_id
semi join trace_file as f on f.directory_id = t.old_id and f.file_name = t.file_name;
