-- Traces that are the latest by the rule and not by their rows, or the other way round.
select
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path,
    t.trace_id,
    t.is_latest
from temp.trace_file as t
join directory as d using (directory_id)
where t.is_latest is distinct from t.was_latest
order by path;
