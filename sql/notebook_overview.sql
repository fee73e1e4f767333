-- What the run is, and what is registered of it.
select *
from runs
where run_id = $run;
