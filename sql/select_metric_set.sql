-- The number of a metric set, its split and its folds.
select set_id, split, folds
from metric_set
where
    cost_bps = $cost_bps
    and fill = $fill
    and range_start is not distinct from $range_start
    and range_end is not distinct from $range_end
    and last_days is not distinct from $last_days;
