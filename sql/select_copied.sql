-- The absolute paths of the copies in a batch.
select case when d.is_relative then $root || '/' else '' end || d.prefix || c.file_name as path
from copied as c
join directory as d using (directory_id)
order by path;
