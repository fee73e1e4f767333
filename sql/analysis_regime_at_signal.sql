-- The regime that every signal of a type was given in: a classifier's state as it was known then.
-- A state set at a bar is known at that bar's end, which is when the signal of the bar is given; so
-- each signal meets the last state of its own or an earlier bar, and never a later one.
-- $strategy_type is the signals' type, $classifier the classifier's trace_id.
select
    c.val as regime,
    count(*) as signals,
    count(*) filter (s.val > 0) as long_entries,
    count(*) filter (s.val < 0) as short_entries,
    count(distinct s.trace_id) as traces
from signals as s
-- Chosen before the join: of all classifiers it would take the last state of any.
asof join (from classifications where trace_id = $classifier) as c
    on
        c.run_id = s.run_id
        and c.symbol = s.symbol
        and c.timeframe = s.timeframe
        and s.bar_index >= c.bar_index
where s.strategy_type = $strategy_type
group by all
order by all;
