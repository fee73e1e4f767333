-- Traces whose run or strategy is gone from the catalog, with the paths of their files.
select
    t.trace_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path
from trace_file as t
join directory as d using (directory_id)
where
    t.run_id not in (select run_id from run)
    or t.strategy_key not in (select strategy_key from strategy);
