-- What other exits would have made of the closed trades of a type: a stop, a target, both, or a longest
-- time, beside the exits as they were signalled; a rule a row. $strategy_type is the type; $stop and
-- $target are fractions of equity, such as 0.01; $longest counts bars. A stop or a target is filled at
-- its level, though a gap may jump it, and where a trade reached both the stop counts. Returns are
-- fractions before cost: trades_at(cost_bps := 2) in the place of trades has a cost to subtract.
with closed as (
    select
        t.gross,
        t.mae,
        t.mfe,
        t.bars_held,
        t.mae <= -$stop as is_stopped,
        t.mfe >= $target as is_reached,
        t.bars_held > $longest as is_too_long,
        t.size * case t.side when 'long' then 1 else -1 end * (b.close / t.entry_price - 1) as by_then
    from trades as t
    join bars as a on a.symbol = t.symbol and a.timeframe = t.timeframe and a.ts = t.entry_ts
    left join bars as b
        on
            b.symbol = t.symbol
            and b.timeframe = t.timeframe
            and b.bar_index = a.bar_index + $longest
    where t.strategy_type = $strategy_type and not t.is_open and t.gross is not null
),
exits as (
    select
        unnest(['as signalled', 'stop', 'target', 'stop and target', 'longest']) as rule,
        unnest([false, is_stopped, is_reached, is_stopped or is_reached, is_too_long]) as is_changed,
        unnest(
            [
                gross,
                case when is_stopped then -$stop else gross end,
                case when is_reached then $target else gross end,
                case when is_stopped then -$stop when is_reached then $target else gross end,
                case when is_too_long then by_then else gross end
            ]
        ) as made
    from closed
)
select
    rule,
    count(*) as trades,
    count(*) filter (is_changed) as other_exits,
    hit_rate(made) as hit_rate,
    profit_factor(made) as profit_factor,
    avg(made) as mean_return,
    min(made) as worst,
    max(made) as best
from exits
group by rule
order by mean_return desc, rule;
