-- The page of strategies: a row a trace that meets all conditions, best first, and how many do.
-- Conditions, columns, and what `chosen` is sorted by are put in; joins that nothing needs are
-- left out, which is most of them where only the traces of one page are looked at.
with chosen as materialized (
    select t.trace_id
    from trace_files as t
    left join strategies as s using (strategy_key)
    left join metrics as m
        on m.trace_id = t.trace_id and m.is_default and m.period = 'all' and m.regime is null
    left join metrics as i
        on i.trace_id = t.trace_id and i.is_default and i.period = 'is' and i.regime is null
    left join metrics as o
        on o.trace_id = t.trace_id and o.is_default and o.period = 'oos' and o.regime is null
    where t.kind = 'signal' and t.status = 'registered'
),
page as (
    select trace_id, sorted_by
    from chosen
    order by sorted_by asc nulls last, trace_id
    limit $limit offset $offset
)
select (select count(*) from chosen) as found
from page as p
join trace_files as t using (trace_id)
left join strategies as s using (strategy_key)
left join metrics as m
    on m.trace_id = t.trace_id and m.is_default and m.period = 'all' and m.regime is null
left join metrics as i
    on i.trace_id = t.trace_id and i.is_default and i.period = 'is' and i.regime is null
left join metrics as o
    on o.trace_id = t.trace_id and o.is_default and o.period = 'oos' and o.regime is null
order by p.sorted_by asc nulls last, p.trace_id;
