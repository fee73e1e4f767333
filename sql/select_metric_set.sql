-- The number of a metric set and its split.
select set_id, split
from metric_set
where
    cost_bps = $cost_bps
    and fill = $fill
    and range_start is not distinct from $range_start
    and range_end is not distinct from $range_end
    and last_days is not distinct from $last_days;
