-- What the chosen traces earned, with what that was computed from.
select
    v.*,
    m.inputs
from metrics as v
join metric as m
    on m.trace_id = v.trace_id
    and m.set_id = v.set_id
    and m.period = v.period
    and m.classifier is not distinct from v.classifier
    and m.regime is not distinct from v.regime
where v.trace_id in (select trace_id from chosen);
