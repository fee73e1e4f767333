-- What a trace, $trace_id, earned: a row a metric set, period and regime, the default set first.
select *
from metrics
where trace_id = $trace_id
order by
    is_default desc,
    set_id,
    regime is not null,
    list_position(['all', 'is', 'oos'], period) nulls last,
    period,
    classifier,
    regime;
