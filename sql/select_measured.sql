-- Which traces have figures of a metric set, computed from what, and session returns of a fill.
select
    t.trace_id,
    m.inputs,
    r.inputs as returned,
    r.pack_path,
    -- What cannot be measured has no figures by regime either.
    coalesce(c.inputs, case when m.matched_by is null then m.inputs end) as by_regime
from trace_file as t
left join metric as m
    on m.trace_id = t.trace_id and m.set_id = $set_id and m.period = 'all' and m.regime is null
left join session_returns as r on r.trace_id = t.trace_id and r.fill = $fill
left join (
    select trace_id, any_value(inputs) as inputs
    from metric
    where set_id = $set_id and classifier = $classifier
    group by trace_id
) as c on c.trace_id = t.trace_id
where t.kind = 'signal' and t.status = 'registered';
