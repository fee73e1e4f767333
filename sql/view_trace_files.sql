-- One row per registered trace: where its file is, what it holds, what it was evaluated over.
select
    t.trace_id,
    case
        when d.is_relative then coalesce(getvariable('catalog_root'), $root) || '/'
        else ''
    end || d.prefix || t.file_name as path,
    t.kind,
    t.run_id,
    t.strategy_id,
    t.strategy_hash,
    t.strategy_key,
    t.strategy_type,
    t.symbol,
    t.timeframe,
    t.generation,
    t.row_count,
    t.change_count,
    t.first_bar,
    t.last_bar,
    t.first_ts,
    t.last_ts,
    t.range_source,
    t.first_change_bar,
    t.last_change_bar,
    t.first_change_ts,
    t.last_change_ts,
    t.knows_bar_times,
    t.last_val,
    t.last_state,
    t.bars_long,
    t.bars_short,
    t.is_flat,
    t.is_latest,
    t.content_digest,
    t.file_digest,
    t.file_size_bytes,
    to_timestamp(t.mtime_ns / 1000000000) as modified_at,
    t.created_at,
    t.registered_at,
    t.status,
    case
        when t.pack_path is not null
        then coalesce(getvariable('catalog_root'), $root) || '/' || t.pack_path
    end as pack_path,
    t.config_source,
    t.claimed_hash,
    t.symbol_raw,
    t.timeframe_raw,
    t.data_digest,
    t.code_digest,
    t.idx_base,
    t.trace_number,
    t.has_original
from trace_file as t
join directory as d using (directory_id);
