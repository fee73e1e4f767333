-- The folders at and below one, each with the root that it was registered with; absolute paths.
select
    d.directory_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder,
    case when r.is_relative then $root || '/' else '' end || r.prefix as root_folder,
    d.is_linked
from directory as d
join root as r using (root_id)
where
    starts_with(case when d.is_relative then $root || '/' else '' end || d.prefix, $folder)
    and (d.is_relative or not starts_with(d.prefix, 'lake:'))
order by folder;
