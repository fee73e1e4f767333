-- The files that a scan met and did not register as traces, with the reason.
select
    case
        when d.is_relative then coalesce(getvariable('catalog_root'), $root) || '/'
        else ''
    end || d.prefix || o.file_name as path,
    o.status,
    o.reason,
    o.error,
    o.hint,
    o.trace_id,
    o.file_size_bytes,
    to_timestamp(o.mtime_ns / 1000000000) as modified_at,
    o.seen_at
from other_file as o
join directory as d using (directory_id);
