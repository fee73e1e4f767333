-- All metric sets.
select set_id, cost_bps, fill, range_start, range_end, last_days, split, folds
from internal.metric_set
order by set_id;
