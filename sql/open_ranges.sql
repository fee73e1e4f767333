-- Which bars each metric set looks at, as far as figures say it.
select
    set_id,
    symbol,
    timeframe,
    min(from_ts) as from_ts,
    max(to_ts) as to_ts
from taken_figure
group by all;
