-- The greatest number that a trace has in any pack.
select coalesce(max(trace_number), 0)
from internal.packed_trace;
