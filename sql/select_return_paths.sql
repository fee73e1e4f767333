-- The packs of session returns, relative to the catalog's folder.
select distinct pack_path
from session_returns
where pack_path is not null
order by pack_path;
