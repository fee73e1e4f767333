-- What a user made in the catalog themselves: whatever is in it beside its own tables, views, macros.
select 'table ' || concat_ws('.', schema_name, table_name) as own
from duckdb_tables()
where database_name = current_database() and schema_name != 'internal' and not temporary
union all
select 'view ' || concat_ws('.', schema_name, view_name)
from duckdb_views()
where
    database_name = current_database() and not internal and not temporary
    and not (
        schema_name = 'main'
        and (
            list_contains($views, view_name)
            or view_name in (select s.view_name from internal.view_signature as s)
        )
    )
union all
select distinct 'macro ' || concat_ws('.', schema_name, function_name)
from duckdb_functions()
where
    database_name = current_database() and not internal and function_type in ('macro', 'table_macro')
    and not (schema_name = 'main' and list_contains($macros, function_name))
union all
select 'sequence ' || concat_ws('.', schema_name, sequence_name)
from duckdb_sequences()
where database_name = current_database() and not temporary
union all
select 'type ' || concat_ws('.', schema_name, type_name)
from duckdb_types()
where database_name = current_database() and not internal
union all
select 'index ' || concat_ws('.', schema_name, index_name)
from duckdb_indexes()
where database_name = current_database() and schema_name = 'internal'
union all
select 'schema ' || schema_name
from duckdb_schemas()
where database_name = current_database() and not internal and schema_name not in ('main', 'internal')
order by own;
