-- One row per signal trace, in the flat shape that is exported and shared. What it earned is
-- without cost, over its whole range.
select
    t.strategy_id,
    t.strategy_hash,
    t.strategy_type,
    t.symbol,
    t.timeframe,
    m.sharpe,
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
    m.sessions,
    m.note as metrics_note,
    case when t.has_original = false then coalesce(t.pack_path, t.path) else t.path end as trace_path,
    s.config,
    t.run_id,
    t.trace_id,
    t.strategy_key,
    t.config_source,
    t.generation,
    t.first_bar,
    t.last_bar,
    t.first_ts,
    t.last_ts,
    t.change_count,
    t.is_flat,
    t.is_latest
from trace_files as t
left join strategies as s using (strategy_key)
left join metric as m
    on m.trace_id = t.trace_id and m.set_id = 1 and m.period = 'all' and m.regime is null
where t.kind = 'signal' and t.status = 'registered';
