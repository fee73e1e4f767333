-- What trials earned in a lake that does not say it.
select
    f.*,
    s.* exclude (set_id),
    null::varchar as price_digest,
    null::varchar as writer
from internal.trial_figure as f
join internal.metric_set as s using (set_id)
where false;
