-- The traces of a lake, each as the writer says who registered it last, or alone knows its
-- configuration. Their files lie on somebody else's machine.
select
    * exclude (path, pack_path, trace_number, has_original),
    'lake:' || getvariable('lake_id') || '/' || writer || '/' || ltrim(regexp_extract(path, '^(.*/)', 1), '/') as folder,
    regexp_extract(path, '[^/]*$') as file_name,
    null::varchar as pack_path,
    null::bigint as trace_number,
    false as has_original
from lake_trace_files
where status = 'registered'
qualify row_number() over (
    partition by trace_id
    order by config_source is distinct from 'unknown' desc, registered_at desc, writer desc
) = 1;
