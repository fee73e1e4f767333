-- Whether a strategy or a trace goes by a name, which the first digits of a hash are not.
from (
    select 1 from strategy where strategy_key = $name
    union all
    select 1 from trace_file where strategy_id = $name or trace_id = $name
)
limit 1;
