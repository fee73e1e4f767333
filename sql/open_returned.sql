-- Whose session returns are read for which trace: those of the writer of its row, if he has any.
select
    h.trace_id,
    h.fill,
    h.file,
    coalesce(m.inputs, '') as inputs
from held_returns as h
join taken_trace as t using (trace_id)
left join (
    select trace_id, s.fill, min(inputs) as inputs
    from taken_metric as m
    join lake_set as s using (set_id)
    where regime is null and inputs <> 'no prices'
    group by all
) as m on m.trace_id = h.trace_id and m.fill = h.fill
qualify row_number() over (
    partition by h.trace_id, h.fill
    order by h.writer = t.writer desc, h.writer desc
) = 1;
