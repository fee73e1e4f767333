-- The highest number that stands for a trace in a pack of session returns.
select coalesce(max(return_number), 0)
from session_returns;
