-- How many signal traces have no figures of a metric set.
select count(*)
from internal.trace_file as t
anti join internal.metric as m
    on m.trace_id = t.trace_id and m.set_id = $set_id and m.period = 'all' and m.regime is null
where t.kind = 'signal' and t.status = 'registered';
