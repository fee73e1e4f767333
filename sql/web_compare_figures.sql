-- The default figures of some traces, $trace_ids, over their whole range.
select *
from metrics
where list_contains($trace_ids, trace_id) and is_default and period = 'all' and regime is null;
