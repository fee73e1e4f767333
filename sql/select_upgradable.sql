-- Everything that the catalog knows of its trace files, by run and path: to write them anew.
select
    t.trace_id,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path,
    t.run_path,
    t.run_id,
    t.kind,
    t.generation,
    t.strategy_id,
    t.strategy_type,
    t.strategy_hash,
    s.config::varchar as config,
    s.config_digest,
    t.config_source,
    t.symbol,
    t.timeframe,
    t.symbol_raw,
    t.timeframe_raw,
    t.idx_base,
    t.layout,
    t.row_count,
    t.first_bar,
    t.last_bar,
    epoch_us(t.first_ts) as first_us,
    epoch_us(t.last_ts) as last_us,
    t.first_change_bar,
    t.last_change_bar,
    epoch_us(t.first_change_ts) as first_change_us,
    epoch_us(t.last_change_ts) as last_change_us,
    t.knows_bar_times,
    t.data_digest,
    t.code_digest,
    t.content_digest,
    t.file_digest,
    t.file_size_bytes,
    t.mtime_ns,
    -- The tracers of old say of a run when it was made, and of a trace only later.
    epoch_us(coalesce(t.created_at, r.created_at)) as created_us
from trace_file as t
join directory as d using (directory_id)
left join strategy as s using (strategy_key)
left join run as r on r.run_id = t.run_id
where t.status = 'registered'
order by t.run_id, t.run_path;
