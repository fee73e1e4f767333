-- The folders of runs, those first in which the runs are at home, and the sweep files that made them.
select
    f.run_id,
    rtrim(case when d.is_relative then $root || '/' else '' end || d.prefix, '/') as folder,
    f.sweep_digest
from run_folder as f
join directory as d using (directory_id)
left join run as r on r.run_id = f.run_id and r.directory_id = f.directory_id
order by f.run_id, r.run_id is null, folder;
