-- A row where this database holds any table.
select 1 from duckdb_tables() where not internal limit 1;
