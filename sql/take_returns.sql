-- Take session returns in of traces that have none.
insert into session_returns by name
select i.*
from taken_returns as i
semi join trace_file as t using (trace_id)
anti join session_returns as s using (trace_id, fill);
