-- The strategy types in order of appearance, each with its parameter columns.
select
    s.strategy_type,
    coalesce(t.columns, []) as columns
from (
    select strategy_type, min(registered_at) as appeared_at
    from strategy
    where strategy_type is not null
    group by strategy_type
) as s
left join (
    select strategy_type, list(column_name order by column_name) as columns
    from type_parameter
    group by strategy_type
) as t using (strategy_type)
order by s.appeared_at, s.strategy_type;
