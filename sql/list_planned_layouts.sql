-- The chosen files of orders, fills or positions, by layout.
select
    t.layout,
    list(p.path order by p.path) as files
from planned as p
join internal.trace_file as t using (trace_id)
where t.has_original is distinct from false
group by t.layout
order by t.layout nulls first;
