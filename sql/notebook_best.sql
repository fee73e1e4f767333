-- The best strategies of the run by Sharpe ratio, without cost.
select
    strategy_id,
    strategy_type,
    symbol,
    timeframe,
    sharpe,
    deflated_sharpe,
    total_return,
    max_drawdown,
    trades,
    breakeven_cost_bps,
    config,
    trace_id
from strategy_index
where run_id = $run
order by sharpe desc nulls last, strategy_id, trace_id
limit 10;
