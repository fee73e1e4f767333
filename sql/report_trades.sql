-- The trades of a trace, $trace_id, before cost: a row for all of them and one for each side. What
-- they earned is of those that were closed, as in metrics.
select
    coalesce(side, 'all') as side,
    count(*) as trades,
    count(*) filter (is_open) as still_open,
    (count(*) filter (not is_open and gross > 0))::double
    / nullif(count(gross) filter (not is_open), 0) as won,
    avg(gross) filter (not is_open) as mean,
    avg(gross) filter (not is_open and gross > 0) as mean_won,
    avg(gross) filter (not is_open and gross < 0) as mean_lost,
    max(gross) filter (not is_open) as best,
    min(gross) filter (not is_open) as worst,
    avg(bars_held) filter (not is_open) as mean_bars,
    max(bars_held) filter (not is_open) as most_bars
from trades
where trace_id = $trace_id
group by grouping sets ((), (side))
having count(*) > 0
order by grouping(side) desc, side;
