-- What the catalog knows of the files that a query reads laterally.
select
    g.given,
    g.trace_id,
    coalesce(f.trace_id, p.trace_id) as known_id,
    coalesce(f.pack_path, p.pack_path) as pack_path,
    coalesce(f.has_original, p.has_original, true) as has_original
from given_paths as g
left join trace_files as f on f.path = g.file and f.status = 'registered'
left join trace_files as p on p.pack_path = g.file and p.trace_id = g.trace_id;
