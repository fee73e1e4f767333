-- The traces that have session returns, and what their prices are.
select s.trace_id, s.fill, t.symbol, t.timeframe
from session_returns as s
join trace_file as t using (trace_id);
