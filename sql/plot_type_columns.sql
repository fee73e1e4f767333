-- Which parameter columns the strategies of each type have values in.
select strategy_type, column_name
from type_parameter
order by strategy_type, column_name;
