-- The packs of session returns, and the numbers of traces that are read from each.
select pack_path, list(return_number) as numbers
from session_returns
where pack_path is not null and return_number is not null
group by pack_path
order by pack_path;
