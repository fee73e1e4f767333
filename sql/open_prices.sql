-- The price series of a lake; of several of one symbol and timeframe the one that was added last.
select
    *
    exclude (path),
    '' as price_path
from lake_price_series
qualify row_number() over (
    partition by symbol, timeframe
    order by added_at desc, digest desc, writer desc
) = 1;
