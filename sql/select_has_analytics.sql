-- A row where this is the analytics database of a run.
select 1
from duckdb_columns()
where table_name = 'strategies' and column_name in ('strategy_name', 'strategy_type', 'parameters')
having count(*) = 3;
