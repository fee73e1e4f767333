-- The strategy index as it is shared: paths below the file's folder are relative to it.
select
    *
    replace (
        case
            when starts_with(trace_path, $folder) then trace_path[length($folder) + 1:]
            else trace_path
        end as trace_path
    )
from strategy_index
order by strategy_type, strategy_id, run_id;
