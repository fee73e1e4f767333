-- Figures of traces, in the place of those that they had in the same metric set; those by another
-- classifier stay as long as they were computed from the same. What is registered no more goes.
delete from metric as m
where
    trace_id not in (select trace_id from trace_file)
    or (
        set_id = $set_id
        and exists (
            select 1
            from incoming_metric as i
            where
                i.trace_id = m.trace_id
                and (
                    i.classifier is not distinct from m.classifier
                    or (i.classifier is null and not starts_with(m.inputs, i.inputs))
                )
        )
    );

insert into metric by name
select i.*
from incoming_metric as i
semi join trace_file as t on t.trace_id = i.trace_id;
