-- The parameter columns of the strategies of a type, number and text of one parameter side by side.
select
    p.path,
    any_value(p.name) as name,
    max(p.column_name) filter (p.form = 'number') as number_column,
    max(p.column_name) filter (p.form = 'text') as text_column
from type_parameter as t
join parameter as p using (column_name)
where t.strategy_type = $strategy_type
group by p.path
order by min(p.name), p.path;
