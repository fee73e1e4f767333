-- The rows of traces that another lake has, with what is known of the traces by now.
select r.* exclude (writer) replace (f.run_id as run_id)
from lake_rows as r
join part_trace as f using (trace_id);
