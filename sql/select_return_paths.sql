-- The packs of session returns, relative to the catalog's folder.
select distinct pack_path
from session_returns
order by pack_path;
