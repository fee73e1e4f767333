-- The strategies that were tried, as the ledgers of all writers of a lake say.
select
    symbol,
    timeframe,
    from_ts,
    to_ts,
    content_digest,
    bool_and(is_flat) as is_flat,
    min(tried_at) as tried_at
from lake_trials
group by all;
