-- Record new strategies, and the configurations of those that were known by their hash only.
delete from strategy using incoming_strategy as i where strategy.strategy_key = i.strategy_key;

insert into strategy by name select * from incoming_strategy;
