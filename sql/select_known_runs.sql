-- The folders of runs by their absolute paths.
select
    r.run_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix as path,
    r.records_stamp,
    r.sweep_digest
from run_folder as r
join directory as d using (directory_id);
