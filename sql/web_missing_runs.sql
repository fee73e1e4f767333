-- Of which runs registered files are gone: how many of each, and the first.
select run_id, count(*) as files, min(path) as example
from missing_files
group by run_id
order by files desc, run_id;
