-- The packs of session returns for one fill, with the numbers in them that are still known.
select pack_path, list(return_number order by return_number) as numbers
from session_returns
where fill = $fill and pack_path is not null
group by pack_path
order by min(return_number);
