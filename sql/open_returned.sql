-- Whose session returns are read for which trace: of those of the prices that count those of the
-- writer of its row, if he has any. What they were computed from his own figures say.
select
    h.trace_id,
    h.fill,
    h.file,
    coalesce(m.inputs, '') as inputs
from held_returns as h
join taken_trace as t using (trace_id)
left join (
    select trace_id, writer, fill, min(inputs) as inputs
    from lake_metrics
    where regime is null and inputs <> 'no prices'
    group by all
) as m on m.trace_id = h.trace_id and m.writer = h.writer and m.fill = h.fill
left join taken_price as p on p.symbol = t.symbol and p.timeframe = t.timeframe
qualify row_number() over (
    partition by h.trace_id, h.fill
    order by
        coalesce(split_part(m.inputs, ' ', 2), '') in ('', p.digest) or p.digest is null desc,
        h.writer = t.writer desc,
        h.writer desc
) = 1;
