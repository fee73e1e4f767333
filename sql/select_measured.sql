-- Which traces have figures of a metric set, for how many periods and computed from what, session
-- returns of a fill, and figures by regime.
select
    t.trace_id,
    m.inputs,
    m.matched_by is not null as is_matched,
    m.periods,
    r.inputs as returned,
    r.pack_path,
    c.inputs as by_regime
from trace_file as t
left join (
    select
        trace_id,
        min(inputs) as inputs,
        any_value(matched_by) as matched_by,
        count(*) as periods
    from metric
    where set_id = $set_id and regime is null
    group by trace_id
) as m on m.trace_id = t.trace_id
left join session_returns as r on r.trace_id = t.trace_id and r.fill = $fill
left join (
    select trace_id, list(distinct inputs) as inputs
    from metric
    where set_id = $set_id and classifier is not null
    group by trace_id
) as c on c.trace_id = t.trace_id
where t.kind = 'signal' and t.status = 'registered';
