-- A row where this database is a catalog.
select 1
from duckdb_tables()
where schema_name = 'internal' and table_name = 'migration'
limit 1;
