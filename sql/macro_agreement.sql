-- How far two strategies agree, a row per pair of their latest traces on one symbol and timeframe.
-- a and b are strategy hashes or trace ids. Two positions agree at a bar where they have the same
-- sign; bars are those that both were evaluated on. Nothing dense is made.
create or replace macro agreement(a, b) as table
with chosen as (
    select trace_id, symbol, timeframe, first_bar, last_bar, first_change_bar, trace_id = a or strategy_hash = a as is_a, trace_id = b or strategy_hash = b as is_b
    from trace_files
    where
        kind = 'signal'
        and status = 'registered'
        and (trace_id = a or trace_id = b or (is_latest and (strategy_hash = a or strategy_hash = b)))
),
stretches as (
    select trace_id, first_bar as from_bar, coalesce(first_change_bar, last_bar + 1) as to_bar, 0.0 as position
    from chosen
    union all
    select trace_id, from_bar, to_bar, position
    from holdings
    where trace_id = a or trace_id = b or strategy_hash = a or strategy_hash = b
),
pairs as (
    select
        x.trace_id as trace_a,
        y.trace_id as trace_b,
        x.symbol,
        x.timeframe,
        greatest(x.first_bar, y.first_bar) as from_bar,
        least(x.last_bar, y.last_bar) + 1 as to_bar
    from chosen as x
    join chosen as y
        on x.symbol is not distinct from y.symbol and x.timeframe is not distinct from y.timeframe
    where x.is_a and y.is_b
),
together as (
    select
        p.trace_a,
        p.trace_b,
        least(x.to_bar, y.to_bar, p.to_bar) - greatest(x.from_bar, y.from_bar, p.from_bar) as bars,
        sign(x.position) as sign_a,
        sign(y.position) as sign_b
    from pairs as p
    join stretches as x on x.trace_id = p.trace_a
    join stretches as y
        on y.trace_id = p.trace_b and y.from_bar < x.to_bar and x.from_bar < y.to_bar
)
select
    p.symbol,
    p.timeframe,
    p.trace_a,
    p.trace_b,
    sum(t.bars)::bigint as bars,
    sum(t.bars) filter (t.sign_a = t.sign_b) / sum(t.bars) as agreement,
    coalesce(sum(t.bars) filter (t.sign_a = t.sign_b), 0)::bigint as same_bars,
    coalesce(sum(t.bars) filter (t.sign_a = -t.sign_b and t.sign_a <> 0), 0)::bigint as opposite_bars,
    coalesce(sum(t.bars) filter (t.sign_a <> 0 and t.sign_b <> 0), 0)::bigint as both_in_market_bars
from pairs as p
join together as t using (trace_a, trace_b)
where t.bars > 0
group by p.symbol, p.timeframe, p.trace_a, p.trace_b;
