-- One row per strategy, symbol and timeframe: its latest trace, and what it earned, without cost.
select
    t.strategy_hash,
    t.strategy_key,
    t.strategy_type,
    t.symbol,
    t.timeframe,
    m.sharpe,
    i.sharpe as sharpe_is,
    o.sharpe as sharpe_oos,
    m.deflated_sharpe,
    m.total_return,
    m.annual_return,
    m.volatility,
    m.sortino,
    m.calmar,
    m.max_drawdown,
    m.exposure,
    m.time_in_market,
    m.turnover,
    m.trades,
    m.hit_rate,
    m.profit_factor,
    m.mean_holding,
    m.breakeven_cost_bps,
    m.benchmark_sharpe,
    m.sessions,
    m.note as metrics_note,
    t.strategy_id,
    t.run_id,
    t.trace_id,
    t.first_ts,
    t.last_ts,
    t.is_flat,
    s.config
from trace_files as t
left join strategies as s using (strategy_key)
left join metric as m
    on m.trace_id = t.trace_id and m.set_id = 1 and m.period = 'all' and m.regime is null
left join metric as i
    on i.trace_id = t.trace_id and i.set_id = 1 and i.period = 'is' and i.regime is null
left join metric as o
    on o.trace_id = t.trace_id and o.set_id = 1 and o.period = 'oos' and o.regime is null
where t.kind = 'signal' and t.status = 'registered' and t.is_latest;
