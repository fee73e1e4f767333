-- Whether a relation of the catalog opens no trace file: one of its own views, or a table.
select
    exists (from internal.view_signature where lower(view_name) = $name)
    or exists (
        from duckdb_tables()
        where lower(table_name) = $name and not temporary and schema_name in ('main', 'internal')
    ) as is_quick;
