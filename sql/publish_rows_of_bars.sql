-- The bars of a price series.
select
    symbol,
    timeframe,
    bar_index,
    ts,
    known_at,
    ts_local,
    session_date,
    session,
    open,
    high,
    low,
    close,
    volume
from pack_rows;
