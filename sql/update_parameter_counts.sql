-- Record how many strategies have a value in each parameter column.
update parameter
set strategies = counted.strategies
from counted
where parameter.column_name = counted.column_name;
