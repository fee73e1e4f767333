-- The ledger of trials: all of it, whatever is chosen and was forgotten, since what was tried counts.
select
    symbol,
    timeframe,
    from_ts,
    to_ts,
    content_digest,
    is_flat,
    tried_at
from internal.trial;
