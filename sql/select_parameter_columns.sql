-- The parameter columns of strategies and strategy_index.
select column_name
from internal.parameter
where column_name is not null;
