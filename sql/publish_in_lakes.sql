-- The traces that only other lakes have, and the files there that hold their rows.
select
    l.trace_id,
    case when p.is_relative then getvariable('catalog_root') || '/' else '' end
    || p.place || '/' || f.path as place
from internal.lake_trace as l
join internal.lake_file as f using (file_id)
join internal.lake as p on p.lake_id = f.lake_id
join trace_file as t on t.trace_id = l.trace_id
where l.is_read and t.trace_number is null and t.has_original = false;
