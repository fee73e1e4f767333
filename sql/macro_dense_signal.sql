-- A strategy's signal as dense bars, a row per bar of the range evaluated: of one trace, by its
-- trace_id, or of every trace of a strategy_hash. Before the first change the value is 0.
create or replace macro dense_signal(trace) as table
with lead_in as (
    select
        trace_id,
        first_bar as from_bar,
        coalesce(first_change_bar, last_bar + 1) as to_bar,
        0.0 as position
    from trace_files
    where
        kind = 'signal'
        and status = 'registered'
        and (trace_id = trace or strategy_hash = trace)
),
stretches as (
    select trace_id, from_bar, to_bar, position
    from lead_in
    union all
    select trace_id, from_bar, to_bar, position
    from holdings
    where trace_id = trace or strategy_hash = trace
)
select
    trace_id,
    unnest(range(from_bar, to_bar)) as bar_index,
    position as val
from stretches;
