-- The session returns of some traces in a file of a lake.
select
    trace_id,
    session_date,
    ret_gross,
    ret_overnight,
    turnover,
    bars_held
from read_parquet($files)
semi join incoming_id using (trace_id)
order by trace_id, session_date;
