-- One row per holding: the bars from_bar to to_bar - 1, over which a position was constant.
with changes as (
    select trace_id, bar_index, ts, val
    from signals
    qualify val is distinct from lag(val) over (partition by trace_id order by bar_index)
)
select
    c.trace_id,
    f.run_id,
    f.strategy_hash,
    f.strategy_id,
    f.strategy_type,
    f.symbol,
    f.timeframe,
    c.val as position,
    c.bar_index as from_bar,
    coalesce(lead(c.bar_index) over later, f.last_bar + 1) as to_bar,
    c.ts as from_ts,
    coalesce(lead(c.ts) over later, f.last_ts) as to_ts,
    coalesce(lead(c.bar_index) over later, f.last_bar + 1) - c.bar_index as bars,
    lead(c.bar_index) over later is null as is_last
from changes as c
join trace_files as f using (trace_id)
window later as (partition by c.trace_id order by c.bar_index);
