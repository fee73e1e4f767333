-- The files at and below a folder, with the stamps and bytes that they had; all files for ''.
select
    d.directory_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder,
    t.file_name,
    t.file_size_bytes,
    t.mtime_ns,
    t.file_digest,
    t.status,
    -- What is in a pack only has no file that could be missing.
    t.has_original is distinct from false as has_file,
    t.trace_number is not null as is_packed
from trace_file as t
join directory as d using (directory_id)
where
    starts_with(case when d.is_relative then $root || '/' else '' end || d.prefix, $folder)
    -- What only a lake has is in none of this machine.
    and (d.is_relative or not starts_with(d.prefix, 'lake:'))
union all
select
    d.directory_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder,
    o.file_name,
    o.file_size_bytes,
    o.mtime_ns,
    null as file_digest,
    o.status,
    true as has_file,
    false as is_packed
from other_file as o
join directory as d using (directory_id)
where starts_with(case when d.is_relative then $root || '/' else '' end || d.prefix, $folder)
order by folder, file_name;
