-- Where the catalog that is open lies.
select path from duckdb_databases() where database_name = current_database();
