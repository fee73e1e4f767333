-- A row for each change of the signal; in between it holds.
select
    bar_index,
    ts,
    val,
    px
from signals
where trace_id = $trace
order by bar_index;
