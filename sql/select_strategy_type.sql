-- The type of a strategy.
select strategy_type from strategies where strategy_key = $strategy_key;
