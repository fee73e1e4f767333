-- A metric set that nobody asked for before. Returns its number.
insert into metric_set by name
select
    coalesce(max(set_id), 0) + 1 as set_id,
    $cost_bps as cost_bps,
    $fill as fill,
    $range_start as range_start,
    $range_end as range_end,
    $last_days as last_days,
    null as split,
    null as folds,
    false as is_default
from metric_set
returning set_id;
