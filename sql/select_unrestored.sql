-- Which traces of packs are not registered, and have no other trace in the place of their file.
select i.trace_id, i.prefix, i.is_relative, i.file_name
from incoming_kept as i
where
    i.trace_id not in (select trace_id from internal.trace_file)
    and not exists (
        select 1
        from internal.trace_file as t
        join internal.directory as d using (directory_id)
        where
            t.file_name = i.file_name
            and d.prefix = i.prefix
            and d.is_relative = i.is_relative
    );
