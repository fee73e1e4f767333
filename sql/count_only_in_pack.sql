-- How many traces of a pack are in no file and in no other pack, and have no other in their place.
select count(*)
from incoming_trace as i
anti join (
    select trace_id
    from internal.trace_file
    where
        status = 'registered'
        and (
            (pack_path is null and has_original is distinct from false)
            or (pack_path is not null and not ends_with(pack_path, '/' || $pack_name))
        )
) as t using (trace_id)
where
    i.path not in (
        select if(d.is_relative, $root || '/' || d.prefix, d.prefix) || o.file_name
        from internal.trace_file as o
        join internal.directory as d using (directory_id)
        where o.status = 'registered' and o.trace_id not in (select trace_id from incoming_trace)
    );
