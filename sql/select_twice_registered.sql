-- Registered traces that a batch brings again from another path.
select
    t.trace_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path
from trace_file as t
join directory as d using (directory_id)
semi join staged using (trace_id);
