-- The parameter columns in which strategies of some types may have values.
select distinct column_name
from type_parameter
where list_contains($types, strategy_type);
