-- The figures of a lake that has none.
select m.* exclude (lake_id), s.* exclude (set_id), null::varchar as writer
from internal.metric as m
join internal.metric_set as s using (set_id)
where false;
