-- Stage the traces of a batch, and note whose latest trace may change with them.
create or replace temp table staged as
select i.* exclude (prefix, is_relative), d.directory_id
from incoming as i
join directory as d using (prefix, is_relative);

create or replace temp table touched as
select latest_key, symbol, timeframe, kind
from staged
union
select latest_key, symbol, timeframe, kind
from trace_file
semi join staged using (directory_id, file_name)
union
select latest_key, symbol, timeframe, kind
from trace_file
semi join gone using (directory_id, file_name);

create or replace temp table touched_run as
select run_id
from staged
union
select run_id
from trace_file
semi join staged using (directory_id, file_name);
