-- The sweep files that configurations of runs came from.
select distinct sweep_digest
from run_folder
where sweep_digest is not null
order by sweep_digest;
