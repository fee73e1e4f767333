-- The root of a lake's folders, where it was opened before.
select root_id
from root
where prefix = $prefix and not is_relative;
