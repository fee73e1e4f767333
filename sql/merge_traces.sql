-- The traces of another catalog, and the folders that they lie in; not those that lakes alone hold.
select
    t.* exclude (directory_id, is_latest),
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder
from internal.trace_file as t
join internal.directory as d using (directory_id)
where t.trace_number is not null or t.has_original is distinct from false;
