-- The traces that a comparison may be of: those of a strategy, or of some ids; with what it takes to read them.
select
    t.trace_id,
    t.symbol,
    t.timeframe,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path,
    t.file_size_bytes,
    t.mtime_ns,
    case when t.pack_path is not null then $root || '/' || t.pack_path end as pack_path,
    t.trace_number,
    t.idx_base,
    t.row_count,
    t.content_digest,
    t.is_flat,
    t.knows_bar_times,
    t.data_digest,
    t.first_bar,
    t.last_bar,
    t.first_change_bar,
    t.last_change_bar,
    epoch_us(t.first_ts) as first_us,
    epoch_us(t.last_ts) as last_us,
    epoch_us(t.first_change_ts) as first_change_us,
    epoch_us(t.last_change_ts) as last_change_us,
    t.kind,
    t.run_id,
    t.strategy_id,
    coalesce(t.is_latest, false) as is_latest
from trace_file as t
join directory as d using (directory_id)
where
    ($strategy_key is null or t.strategy_key = $strategy_key)
    and ($only is null or t.trace_id in (select unnest($only::varchar[])))
    and t.kind in ('signal', 'classifier')
    and t.status = 'registered'
order by t.is_latest desc, t.last_ts desc nulls last, t.last_bar desc nulls last, t.trace_id;
