-- The columns of one of the catalog's own tables.
select column_name
from duckdb_columns()
where
    database_name = current_database()
    and schema_name = 'internal'
    and table_name = $table
order by column_index;
