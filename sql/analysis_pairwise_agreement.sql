-- How far the latest traces of a type agree, a row per pair on one symbol, timeframe and run: the
-- share of bars at which both positions have the same sign. Nothing dense is made: what is counted
-- are the overlaps of holdings. $strategy_type is the type.
with chosen as (
    select trace_id, strategy_id, run_id, symbol, timeframe, first_bar, last_bar, first_change_bar
    from trace_files
    where kind = 'signal' and status = 'registered' and strategy_type = $strategy_type and is_latest
),
stretches as (
    select
        trace_id,
        first_bar as from_bar,
        coalesce(first_change_bar, last_bar + 1) as to_bar,
        0 as side
    from chosen
    union all
    select h.trace_id, h.from_bar, h.to_bar, sign(h.position) as side
    from holdings as h
    join chosen as c using (trace_id)
),
placed as (
    select c.strategy_id, c.run_id, c.symbol, c.timeframe, s.*
    from chosen as c
    join stretches as s using (trace_id)
    where s.to_bar > s.from_bar
)
select
    a.symbol,
    a.timeframe,
    a.strategy_id as strategy_a,
    b.strategy_id as strategy_b,
    sum(least(a.to_bar, b.to_bar) - greatest(a.from_bar, b.from_bar))::bigint as bars,
    coalesce(
        sum(least(a.to_bar, b.to_bar) - greatest(a.from_bar, b.from_bar)) filter (a.side = b.side),
        0
    ) / sum(least(a.to_bar, b.to_bar) - greatest(a.from_bar, b.from_bar)) as agreement
from placed as a
join placed as b
    on
        b.run_id = a.run_id
        and b.symbol = a.symbol
        and b.timeframe = a.timeframe
        and b.trace_id > a.trace_id
        and b.from_bar < a.to_bar
        and a.from_bar < b.to_bar
group by all
order by agreement desc, strategy_a, strategy_b;
