-- The positions of some traces, and the bars of their own at which they are taken.
select
    trace_id,
    bar_index,
    val as position
from signals
where trace_id in (select unnest($trace_ids::varchar[]))
order by trace_id, bar_index;
