-- What a bundle needs to know of traces, in the order of their runs and paths.
select
    t.trace_id,
    t.kind,
    t.run_id,
    t.run_path,
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder,
    t.file_name,
    t.file_size_bytes,
    t.mtime_ns,
    t.file_digest,
    t.has_original is distinct from false as has_file,
    t.pack_path,
    t.strategy_key,
    t.config_source,
    s.config,
    t.symbol,
    t.timeframe,
    -- Where nothing but its run says it, it would be another one with a part of the run.
    case when t.range_source = 'run' then t.last_bar end as last_bar
from trace_file as t
semi join incoming_id as i using (trace_id)
join directory as d using (directory_id)
left join strategy as s using (strategy_key)
order by t.run_id, t.run_path, t.trace_id;
