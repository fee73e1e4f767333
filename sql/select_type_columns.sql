-- The strategy types, each with its parameter columns.
select
    s.strategy_type,
    coalesce(t.columns, []) as columns
from (select distinct strategy_type from strategy where strategy_type is not null) as s
left join (
    select strategy_type, list(column_name order by column_name) as columns
    from type_parameter
    group by strategy_type
) as t using (strategy_type)
order by s.strategy_type;
