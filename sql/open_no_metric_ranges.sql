-- Which bars metric sets look at in a lake that does not say it.
select
    r.*,
    s.* exclude (set_id),
    null::varchar as price_digest,
    null::varchar as writer
from internal.metric_range as r
join internal.metric_set as s using (set_id)
where false;
