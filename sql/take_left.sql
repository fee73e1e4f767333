-- Drop figures that a lake does not have any more, of traces that lakes alone hold: those that were
-- computed here stay. What is registered no more has none.
delete from metric as m
using trace_file as t
where
    t.trace_id = m.trace_id
    and m.lake_id = $lake_id
    and t.has_original = false
    and t.trace_number is null
    and not exists (
        select 1
        from taken_metric as i
        where
            i.trace_id = m.trace_id
            and i.set_id = m.set_id
            and i.classifier is not distinct from m.classifier
            and (i.period = 'all') = (m.period = 'all')
    );

delete from session_returns as s
using trace_file as t
where
    t.trace_id = s.trace_id
    and s.lake_id = $lake_id
    and t.has_original = false
    and t.trace_number is null
    and not exists (
        select 1
        from lake_returned as i
        where i.trace_id = s.trace_id and i.fill = s.fill
    );

delete from metric
where trace_id not in (select trace_id from trace_file);

delete from session_returns
where trace_id not in (select trace_id from trace_file);
