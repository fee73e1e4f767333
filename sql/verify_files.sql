-- The files that the catalog knows, and the digest that the bytes of those that are traces have.
select
    t.directory_id,
    t.file_name,
    t.file_size_bytes,
    t.mtime_ns,
    -- Of what is in a pack only there is no file to compare.
    case when t.has_original is distinct from false then t.file_digest end as file_digest,
    t.status = 'registered' and t.has_original is distinct from false as is_expected
from trace_file as t
union all
select
    o.directory_id,
    o.file_name,
    o.file_size_bytes,
    o.mtime_ns,
    -- Copies of one trace have the same bytes; those that have not are looked into.
    case when o.status = 'copy' then t.file_digest end as file_digest,
    o.status = 'copy' as is_expected
from other_file as o
left join trace_file as t on t.trace_id = o.trace_id and o.status = 'copy'
order by directory_id;
