-- The statement that made a view which is not one of the catalog's own.
select sql
from duckdb_views()
where
    not internal
    and database_name = current_database()
    and schema_name = 'main'
    and lower(view_name) = $name
    and view_name not in (select view_name from internal.view_signature);
