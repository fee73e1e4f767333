-- Traces with their figures of one metric set: the columns of strategy_index, with the figures of
-- that set in the place of the default ones. `alike` counts the traces
-- with the same content on the same data.
with figures as (
    select
        m.*
        exclude (
            set_id, range_start, range_end, last_days, split, folds, is_default, period, classifier,
            regime, computed_at
        ),
        m.note as metrics_note,
        i.sharpe as sharpe_is,
        o.sharpe as sharpe_oos
    from metrics as m
    left join metrics as i
        on i.trace_id = m.trace_id and i.set_id = $set_id and i.period = 'is' and i.regime is null
    left join metrics as o
        on o.trace_id = m.trace_id and o.set_id = $set_id and o.period = 'oos' and o.regime is null
    where m.set_id = $set_id and m.period = 'all' and m.regime is null and m.start_bar is not null
),
-- Counted by themselves: a window over the rows would hold all of their columns.
counted as (
    select c.content_digest, f.from_ts, f.to_ts, count(*) as alike
    from strategy_index as t
    join figures as f using (trace_id)
    join trace_files as c using (trace_id)
    group by all
)
select
    t.*
    exclude (
        sharpe, deflated_sharpe, total_return, annual_return, volatility, sortino, calmar,
        max_drawdown, exposure, time_in_market, turnover, trades, hit_rate, profit_factor,
        mean_holding, breakeven_cost_bps, sessions, metrics_note
    ),
    f.* exclude (trace_id),
    c.content_digest,
    a.alike
from strategy_index as t
join figures as f using (trace_id)
join trace_files as c using (trace_id)
join counted as a
    on
        a.content_digest is not distinct from c.content_digest
        and a.from_ts is not distinct from f.from_ts
        and a.to_ts is not distinct from f.to_ts;
