-- The run that a name, $reference, is the id of.
select run_id
from run
where run_id = $reference;
