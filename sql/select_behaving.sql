-- The latest traces on a symbol and timeframe that share bars with a range, in pack order, with what
-- it takes to read them and by how many bars their numbers are ahead.
--
-- Bars of the same number are the same, unless ends of the ranges that have the same time have other
-- numbers. Where later times do not go with later bars the numbers cannot be compared.
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
    t.strategy_key,
    t.ahead
from (
    select
        *,
        case
            when epoch_us(last_ts) = $last_us then last_bar - $last_bar
            when epoch_us(first_ts) = $first_us then first_bar - $first_bar
            else 0
        end as ahead
    from trace_file
    where
        kind = $kind
        and status = 'registered'
        and is_latest
        and symbol is not distinct from $symbol
        and timeframe is not distinct from $timeframe
        and first_bar is not null
        and last_bar is not null
) as t
join directory as d using (directory_id)
where
    t.first_bar - t.ahead <= $last_bar
    and t.last_bar - t.ahead >= $first_bar
    and coalesce(
        sign(epoch_us(t.last_ts) - $last_us) = sign(t.last_bar - t.ahead - $last_bar), true
    )
    and coalesce(
        sign(epoch_us(t.first_ts) - $first_us) = sign(t.first_bar - t.ahead - $first_bar), true
    )
order by t.pack_path nulls last, t.trace_number, t.trace_id;
