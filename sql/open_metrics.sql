-- The figures of a lake: of those of one trace and metric set that count, which are computed from the
-- prices that count, those which were computed last.
select
    m.* exclude (set_id, cost_bps, fill, range_start, range_end, last_days, split, folds, is_default),
    s.set_id,
    null::integer as lake_id
from lake_metrics as m
join lake_set as s
    on
        s.cost_bps = m.cost_bps
        and s.fill = m.fill
        and s.range_start is not distinct from m.range_start
        and s.range_end is not distinct from m.range_end
        and s.last_days is not distinct from m.last_days
left join taken_trace as t on t.trace_id = m.trace_id
left join taken_price as p on p.symbol = t.symbol and p.timeframe = t.timeframe
where
    (
        m.period = 'all'
        or (s.split is not distinct from m.split and s.folds is not distinct from m.folds)
    )
    and (
        p.digest is null
        or m.inputs in ('', 'no prices')
        or split_part(m.inputs, ' ', 2) = p.digest
    )
qualify m.writer = first_value(m.writer) over (
    partition by m.trace_id, s.set_id, m.classifier, m.period = 'all'
    order by m.inputs <> 'no prices' desc, m.computed_at desc, m.writer desc
);
