-- All that the rows of some files say, to compare it with what the files do.
select
    t.trace_id,
    t.kind,
    t.strategy_id,
    t.strategy_type,
    coalesce(s.config is not null, false) as has_config,
    t.range_source,
    t.first_bar,
    t.last_bar,
    epoch_us(t.first_ts) as first_ts,
    epoch_us(t.last_ts) as last_ts,
    t.symbol,
    t.timeframe,
    t.strategy_hash,
    t.config_source,
    t.generation,
    t.content_digest,
    t.idx_base,
    t.row_count,
    t.change_count,
    t.first_change_bar,
    t.last_change_bar,
    epoch_us(t.first_change_ts) as first_change_ts,
    epoch_us(t.last_change_ts) as last_change_ts,
    t.knows_bar_times,
    t.last_val,
    t.last_state,
    -- Without what sql/finish_ranges.sql adds from the last row to the end of the range.
    t.bars_long - case
        when t.last_val > 0 then coalesce(t.last_bar - t.last_change_bar + 1, 0) else 0
    end as bars_long,
    t.bars_short - case
        when t.last_val < 0 then coalesce(t.last_bar - t.last_change_bar + 1, 0) else 0
    end as bars_short,
    t.is_flat,
    t.symbol_raw,
    t.timeframe_raw,
    t.data_digest,
    t.code_digest,
    t.rows_digest,
    t.layout as struct_layout,
    t.trace_number is not null as is_packed,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path
from trace_file as t
join directory as d using (directory_id)
left join strategy as s using (strategy_key)
where t.status = 'registered';
