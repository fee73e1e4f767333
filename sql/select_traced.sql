-- The traces that a comparison may be of, the latest first: those of a strategy, or of some ids.
select trace_id, kind, run_id, strategy_id, coalesce(is_latest, false) as is_latest
from trace_file
where
    ($strategy_key is null or strategy_key = $strategy_key)
    and ($only is null or trace_id in (select unnest($only::varchar[])))
    and kind in ('signal', 'classifier')
    and status = 'registered'
order by is_latest desc, last_ts desc nulls last, last_bar desc nulls last, trace_id;
