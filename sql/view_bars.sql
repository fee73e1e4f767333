-- One row per bar of the price series.
select
    r.symbol,
    r.timeframe,
    r.bar_index,
    r.ts,
    r.known_at,
    r.ts_local,
    r.session_date,
    r.session,
    r.open,
    r.high,
    r.low,
    r.close,
    r.volume
from $rows as r;
