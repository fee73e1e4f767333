-- The chosen traces as trace_files shows them, with what a catalog over the lake takes beside that.
-- Which of them are the latest is told anew by whoever reads, over all writers.
select
    f.* replace (null::boolean as is_latest),
    t.run_path,
    t.layout,
    t.latest_key,
    t.rows_digest,
    t.mtime_ns,
    t.declared_first_bar,
    t.declared_last_bar
from trace_files as f
join trace_file as t using (trace_id)
where f.status = 'registered' and f.trace_id in (select trace_id from chosen);
