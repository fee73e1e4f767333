-- The folders that scans have seen, by their absolute paths with a slash at the end.
select directory_id, case when is_relative then $root || '/' else '' end || prefix as path
from directory;
