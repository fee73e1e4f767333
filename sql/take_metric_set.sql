-- A metric set that another catalog had. Returns its number.
insert into metric_set by name
select
    coalesce(max(set_id), 0) + 1 as set_id,
    $cost_bps as cost_bps,
    $fill as fill,
    cast($range_start as date) as range_start,
    cast($range_end as date) as range_end,
    cast($last_days as integer) as last_days,
    cast($split as date) as split,
    cast($folds as integer) as folds,
    false as is_default
from metric_set
returning set_id;
