-- The traces of some strategies, with the paths of their files.
select
    t.trace_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path
from trace_file as t
join directory as d using (directory_id)
where list_contains($keys, t.strategy_key);
