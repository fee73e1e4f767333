-- Trades of a trace, $trace_id, the newest first: $size of them, after $skipped.
select
    side,
    size,
    coalesce(entry_local, entry_ts) as entered,
    entry_price,
    coalesce(exit_local, exit_ts) as left_at,
    exit_price,
    bars_held,
    gross,
    mae,
    mfe,
    is_open,
    entry_regime,
    count(*) over () as trades
from trades
where trace_id = $trace_id
order by entry_bar desc
limit $size offset $skipped;
