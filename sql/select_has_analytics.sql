-- A row where the attached database is the analytics of a run.
select 1
from duckdb_columns()
join duckdb_tables() using (database_name, schema_name, table_name)
where
    database_name = 'run'
    and schema_name = 'main'
    and table_name = 'strategies'
    and column_name in ('strategy_name', 'strategy_type', 'parameters')
having count(*) = 3;
