-- Record folders that were not seen before, and take a new link or root over.
update directory
set is_linked = coalesce(i.is_linked, directory.is_linked), root_id = i.root_id
from incoming_folder as i
where
    directory.prefix = i.prefix
    and directory.is_relative = i.is_relative
    and (directory.is_linked <> i.is_linked or directory.root_id <> i.root_id);

insert into directory by name
select
    (select coalesce(max(directory_id), 0) from directory)
        + row_number() over (order by i.prefix) as directory_id,
    i.root_id,
    i.prefix,
    i.is_relative,
    coalesce(i.is_linked, false) as is_linked
from incoming_folder as i
anti join directory as d using (prefix, is_relative);
