-- Tell traces that were known by their hash only what somebody else has now brought.
create or replace temp table completed as
select i.strategy_key
from incoming_strategy as i
semi join trace_file as t on t.strategy_key = i.strategy_key and t.config_source = 'unknown'
where i.config is not null;

create or replace temp table arrived as
select strategy_key from incoming_strategy;

update trace_file
set
    strategy_type = i.strategy_type,
    config_source = i.config_source,
    latest_key = i.config_key
from incoming_strategy as i
semi join completed using (strategy_key)
where trace_file.strategy_key = i.strategy_key and trace_file.config_source = 'unknown';
