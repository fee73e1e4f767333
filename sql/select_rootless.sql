-- Folders below no registered root, and the root that they say.
select root_id, case when is_relative then $root || '/' else '' end || prefix as path
from directory
anti join root using (root_id);
