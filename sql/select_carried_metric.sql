-- The figures of some traces.
select m.* replace (null::integer as lake_id)
from internal.metric as m
semi join incoming_id as i using (trace_id)
order by all;
