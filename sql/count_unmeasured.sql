-- How many signal traces have no figures of a metric set: those that were not measured yet, and
-- those that could not be, as where prices are missing.
select
    count(*) filter (m.trace_id is null) as unmeasured,
    count(*) filter (m.trace_id is not null and m.start_bar is null) as without_figures
from internal.trace_file as t
left join internal.metric as m
    on m.trace_id = t.trace_id and m.set_id = $set_id and m.period = 'all' and m.regime is null
where t.kind = 'signal' and t.status = 'registered';
