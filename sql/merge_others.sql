-- The files that scans of another catalog met and did not register.
select
    o.* exclude (directory_id),
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder
from internal.other_file as o
join internal.directory as d using (directory_id);
