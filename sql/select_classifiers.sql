-- The latest traces of the classifiers that go by a name, in the columns of select_measurable.sql
-- and their ids.
select
    t.trace_id,
    t.symbol,
    t.timeframe,
    t.path,
    t.file_size_bytes,
    epoch_ns(t.modified_at) as mtime_ns,
    t.pack_path,
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
    t.strategy_id
from trace_files as t
where
    t.kind = 'classifier'
    and t.status = 'registered'
    and (
        t.trace_id = $reference
        or (
            t.is_latest
            and (
                t.strategy_id = $reference
                or t.strategy_type = $reference
                or t.strategy_key = $reference
                or (length($reference) >= 6 and starts_with(t.strategy_hash, $reference))
            )
        )
    );
