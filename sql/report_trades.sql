-- The trades of a trace, $trace_id, before cost: a row for all of them and one for each side.
select
    coalesce(side, 'all') as side,
    count(*) as trades,
    count(*) filter (is_open) as still_open,
    (count(*) filter (gross > 0))::double / nullif(count(gross), 0) as won,
    avg(gross) as mean,
    avg(gross) filter (gross > 0) as mean_won,
    avg(gross) filter (gross < 0) as mean_lost,
    max(gross) as best,
    min(gross) as worst,
    avg(bars_held) as mean_bars,
    max(bars_held) as most_bars
from trades
where trace_id = $trace_id
group by grouping sets ((), (side))
having count(*) > 0
order by grouping(side) desc, side;
