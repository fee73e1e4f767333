-- Folders below no registered root.
select case when is_relative then $root || '/' else '' end || prefix as path
from directory
anti join root using (root_id);
