-- The files of orders, fills or positions, by layout: those below the catalog's folder, and others.
select
    t.layout,
    coalesce(list(d.prefix || t.file_name order by d.prefix, t.file_name) filter (d.is_relative), []) as relative,
    coalesce(list(d.prefix || t.file_name order by d.prefix, t.file_name) filter (not d.is_relative), []) as absolute
from trace_file as t
join directory as d using (directory_id)
where t.kind = $kind and t.status = 'registered' and t.has_original is distinct from false
group by t.layout
order by t.layout nulls first;
