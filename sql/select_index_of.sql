-- The rows of the strategy index of some traces.
select s.*
from strategy_index as s
semi join incoming_id as i using (trace_id)
order by s.strategy_type, s.strategy_id, s.run_id, s.trace_id;
