-- The configurations behind some traces, $trace_ids.
select t.trace_id, s.config
from trace_files as t
join strategies as s using (strategy_key)
where list_contains($trace_ids, t.trace_id);
