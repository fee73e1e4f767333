-- How the trades of a type went, by the side that was taken: how many, how often they won, what they
-- returned before cost and how far they had gone against and for it. Traces without prices have none.
-- $strategy_type is the type.
select
    symbol,
    timeframe,
    side,
    is_overnight,
    count(*) as trades,
    count(*) filter (is_open) as still_open,
    count(distinct trace_id) as traces,
    hit_rate(case when not is_open then net end) as hit_rate,
    profit_factor(case when not is_open then net end) as profit_factor,
    avg(net) as mean_return,
    avg(bars_held) as mean_bars_held,
    median(mae) as median_mae,
    median(mfe) as median_mfe
from trades
where strategy_type = $strategy_type
group by all
order by all;
