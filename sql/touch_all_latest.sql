-- Let the rule of the latest traces look at all of them.
create or replace temp table touched as
select distinct latest_key, symbol, timeframe, kind
from trace_file;
