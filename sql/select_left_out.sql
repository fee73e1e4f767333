-- The files that a registration met and did not register, with the reason.
select
    case when d.is_relative then $root || '/' else '' end || d.prefix || o.file_name as path,
    o.status,
    coalesce(o.reason, 'unknown') as reason,
    coalesce(o.error, o.reason, 'unknown') as error,
    o.hint
from other_file as o
join directory as d using (directory_id)
where o.status in ('quarantined', 'ignored', 'copy')
order by path;
