-- Take figures in: of those of one trace and metric set that count which were computed last, from
-- prices that are still those of the series. A split has its own.
create or replace temp table offered as
select m.*
from taken_metric as m
join trace_file as t using (trace_id)
left join internal.price_series as p using (symbol, timeframe)
where p.digest is null or m.inputs in ('', 'no prices') or split_part(m.inputs, ' ', 2) = p.digest;

create or replace temp table winning as
select n.trace_id, n.set_id, n.classifier, n.is_whole
from (
    select
        trace_id,
        set_id,
        classifier,
        period = 'all' as is_whole,
        max((inputs <> 'no prices', computed_at, inputs)) as rank
    from offered
    group by all
) as n
left join (
    select
        trace_id,
        set_id,
        classifier,
        period = 'all' as is_whole,
        max((inputs <> 'no prices', computed_at, inputs)) as rank
    from metric
    semi join offered using (trace_id)
    group by all
) as o
    on
        o.trace_id = n.trace_id
        and o.set_id = n.set_id
        and o.classifier is not distinct from n.classifier
        and o.is_whole = n.is_whole
where o.trace_id is null or n.rank > o.rank;

delete from metric as m
using winning as w
where
    w.trace_id = m.trace_id
    and w.set_id = m.set_id
    and w.classifier is not distinct from m.classifier
    and w.is_whole = (m.period = 'all');

insert into metric by name
select o.*
from offered as o
join winning as w
    on
        w.trace_id = o.trace_id
        and w.set_id = o.set_id
        and w.classifier is not distinct from o.classifier
        and w.is_whole = (o.period = 'all');
