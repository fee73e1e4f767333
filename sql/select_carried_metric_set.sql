-- All metric sets: figures name them by their numbers.
from internal.metric_set
order by set_id;
