-- The strategies of one type, with that type's parameters only, and what their latest traces earned
-- without cost: the mean over symbols and timeframes.
select
    s.strategy_hash,
    s.strategy_key,
    s.config,
    m.sharpe,
    m.total_return,
    m.annual_return,
    m.volatility,
    m.sortino,
    m.max_drawdown,
    m.exposure,
    m.turnover,
    m.trades,
    m.hit_rate,
    m.profit_factor,
    m.breakeven_cost_bps,
    s.constraints,
    s.config_source
from strategy as s
left join (
    select
        t.strategy_key,
        avg(e.sharpe) as sharpe,
        avg(e.total_return) as total_return,
        avg(e.annual_return) as annual_return,
        avg(e.volatility) as volatility,
        avg(e.sortino) as sortino,
        avg(e.max_drawdown) as max_drawdown,
        avg(e.exposure) as exposure,
        avg(e.turnover) as turnover,
        avg(e.trades) as trades,
        avg(e.hit_rate) as hit_rate,
        avg(e.profit_factor) as profit_factor,
        avg(e.breakeven_cost_bps) as breakeven_cost_bps
    from trace_file as t
    join metric as e
        on e.trace_id = t.trace_id and e.set_id = 1 and e.period = 'all' and e.regime is null
    where t.kind = 'signal' and t.status = 'registered' and t.is_latest
    group by t.strategy_key
) as m on m.strategy_key = s.strategy_key
where s.strategy_type = $strategy_type;
