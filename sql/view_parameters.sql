-- One row per parameter and form (number or text), with its column in strategies.
select
    name as parameter,
    path,
    form,
    column_name,
    column_type,
    strategies
from parameter;
