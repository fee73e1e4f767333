-- The registered signal traces that a compaction may take, in the order of a pack.
select
    t.trace_id,
    t.strategy_hash,
    t.kind,
    t.run_id,
    t.run_path,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path,
    t.content_digest,
    t.symbol,
    t.timeframe,
    t.idx_base,
    t.file_size_bytes,
    t.mtime_ns,
    t.pack_path,
    t.has_original
from internal.trace_file as t
join internal.directory as d using (directory_id)
where
    t.kind = 'signal'
    and t.status = 'registered'
    -- What only a lake has stays there.
    and (t.trace_number is not null or t.has_original is distinct from false)
    and ($trace_ids is null or list_contains($trace_ids, t.trace_id))
order by t.strategy_hash nulls last, t.trace_id;
