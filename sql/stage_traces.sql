-- Stage the traces of a batch, and note whose latest trace may change with them.
create or replace temp table staged as
select i.* exclude (prefix, is_relative), d.directory_id
from incoming as i
join directory as d using (prefix, is_relative);

-- What was registered under these names, and will not be any more.
create or replace temp table replaced as
select directory_id, file_name from staged
union
select directory_id, file_name from gone
union
select d.directory_id, i.file_name
from incoming_problem as i
join directory as d using (prefix, is_relative);

create or replace temp table touched as
select latest_key, symbol, timeframe, kind
from staged
union
select latest_key, symbol, timeframe, kind
from trace_file
semi join replaced using (directory_id, file_name)
union
select latest_key, symbol, timeframe, kind
from trace_file
semi join completed using (strategy_key);

-- Strategies that may be in no use when the batch is recorded.
create or replace temp table perhaps_idle as
select strategy_key
from arrived
union
select strategy_key
from trace_file
semi join replaced using (directory_id, file_name)
union
select strategy_key
from trace_file
semi join staged using (trace_id);

create or replace temp table touched_run as
select run_id
from staged
union
select run_id
from trace_file
semi join replaced using (directory_id, file_name);

-- A configuration that its run says no more is still the one of the same file.
update staged
set
    strategy_hash = t.strategy_hash,
    strategy_key = t.strategy_key,
    strategy_type = t.strategy_type,
    latest_key = t.latest_key,
    config_source = t.config_source
from trace_file as t
where
    staged.directory_id = t.directory_id
    and staged.file_name = t.file_name
    and staged.file_digest = t.file_digest
    and staged.config_source = 'unknown'
    and t.config_source in ('metadata', 'analytics');
