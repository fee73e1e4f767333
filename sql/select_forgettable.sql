-- Traces that are to be forgotten: what tells them again, and where their files are.
select
    t.trace_id,
    t.kind,
    t.run_id,
    t.run_path,
    t.strategy_key,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path,
    t.file_size_bytes,
    t.mtime_ns,
    t.file_digest,
    t.content_digest,
    t.status = 'registered' and t.has_original is distinct from false as has_file,
    t.pack_path,
    t.trace_number
from trace_file as t
semi join incoming_id as i using (trace_id)
join directory as d using (directory_id)
order by t.run_id, t.run_path, t.trace_id;
