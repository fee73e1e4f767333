-- The folders at and below one, by their absolute paths.
select
    directory_id,
    case when is_relative then $root || '/' else '' end || prefix as path
from directory
where starts_with(path, $folder);
