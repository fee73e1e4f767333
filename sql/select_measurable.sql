-- The registered traces of some kinds, all or those with some ids, in pack order: with what it takes to
-- read them, and to find their bars among prices.
select
    t.trace_id,
    t.symbol,
    t.timeframe,
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path,
    t.file_size_bytes,
    t.mtime_ns,
    -- Of what only a lake has, the file there.
    coalesce($root || '/' || t.pack_path, l.file) as pack_path,
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
    epoch_us(t.last_change_ts) as last_change_us
from trace_file as t
join directory as d using (directory_id)
left join (
    select
        k.trace_id,
        case when p.is_relative then $root || '/' else '' end || p.place || '/' || f.path as file
    from internal.lake_trace as k
    join internal.lake_file as f using (file_id)
    join internal.lake as p on p.lake_id = f.lake_id
    where k.is_read
) as l on l.trace_id = t.trace_id and t.trace_number is null and t.has_original = false
where
    t.kind in (select unnest($kinds::varchar[]))
    and t.status = 'registered'
    and ($only is null or t.trace_id in (select unnest($only::varchar[])))
order by t.pack_path nulls last, l.file nulls last, t.trace_number, t.trace_id;
