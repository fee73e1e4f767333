-- What the planner wants of the registered traces: less than trace_files has, so it takes less time.
select
    t.trace_id,
    case when d.is_relative then getvariable('catalog_root') || '/' else '' end
    || d.prefix || t.file_name as path,
    t.kind,
    t.run_id,
    t.strategy_hash,
    t.strategy_id,
    t.strategy_type,
    t.symbol,
    t.timeframe,
    t.generation,
    t.idx_base,
    t.status,
    t.row_count,
    t.file_size_bytes,
    t.first_bar,
    t.last_bar,
    t.first_ts,
    t.last_ts,
    t.first_change_bar,
    t.last_change_bar,
    t.first_change_ts,
    t.last_change_ts,
    t.knows_bar_times,
    case when t.pack_path is not null then getvariable('catalog_root') || '/' || t.pack_path end as pack_path,
    t.trace_number,
    t.has_original
from internal.trace_file as t
join internal.directory as d using (directory_id)
where t.status = 'registered'
