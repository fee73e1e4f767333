-- The folders that scans of another catalog have seen, each with its root.
select
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder,
    case when r.is_relative then $root || '/' else '' end || r.prefix as root,
    d.is_linked
from internal.directory as d
join internal.root as r using (root_id)
where not starts_with(folder, 'lake:');
