-- The columns that a relation has in both catalogs.
select a.column_name, a.data_type
from duckdb_columns() as a
join duckdb_columns() as b using (schema_name, table_name, column_name)
where
    a.database_name = 'former'
    and b.database_name = 'rebuilt'
    and a.schema_name = $schema
    and a.table_name = $relation
order by a.column_index;
