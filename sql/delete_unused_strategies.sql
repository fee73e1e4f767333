-- Forget strategies that no trace and no order, fill or position is of any more.
delete from strategy
where
    strategy_key not in (select strategy_key from trace_file where strategy_key is not null)
    and strategy_key not in (select strategy_key from event_strategy);
