-- The statements that make the catalog's own tables as they are now.
select table_name, sql
from duckdb_tables()
where database_name = current_database() and schema_name = 'internal'
order by table_name;
