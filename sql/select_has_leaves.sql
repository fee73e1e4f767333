-- Whether the columns of a type leave parameters out: those of components, or beyond the last column.
select
    exists (
        from strategy
        where strategy_type = $strategy_type and kind = $kind and is_composite
    )
    or exists (from parameter where column_name is null);
