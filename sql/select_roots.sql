-- The roots that were registered, by their absolute paths.
select
    root_id,
    case when is_relative then $root || '/' else '' end || prefix as path
from root
order by root_id;
