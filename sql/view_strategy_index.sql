-- One row per signal trace, in the flat shape that is exported and shared.
select
    t.strategy_id,
    t.strategy_hash,
    t.strategy_type,
    t.symbol,
    t.timeframe,
    case when t.has_original = false then t.pack_path else t.path end as trace_path,
    s.config,
    t.run_id,
    t.trace_id,
    t.strategy_key,
    t.config_source,
    t.generation,
    t.first_bar,
    t.last_bar,
    t.first_ts,
    t.last_ts,
    t.change_count,
    t.is_flat,
    t.is_latest
from trace_files as t
left join strategies as s using (strategy_key)
where t.kind = 'signal' and t.status = 'registered';
