-- What no lake has any more, and is not here either: traces that were registered here are missing.
update trace_file
set status = 'missing', is_latest = false
where
    has_original = false
    and trace_number is null
    and trace_id not in (select trace_id from internal.lake_trace);

delete from trace_file
where
    status = 'missing'
    and has_original = false
    and trace_number is null
    and directory_id in (
        select directory_id
        from directory
        where not is_relative and starts_with(prefix, 'lake:')
    );

update internal.lake_trace as l
set is_read = r.is_read
from (
    select
        trace_id,
        lake_id,
        row_number() over (partition by trace_id order by file_id is null, lake_id) = 1 as is_read
    from internal.lake_trace
) as r
where r.trace_id = l.trace_id and r.lake_id = l.lake_id and r.is_read <> l.is_read;
