-- How many traces are of a configuration that nobody knows.
select count(*)
from trace_file as t
left join strategy as s using (strategy_key)
where
    t.status = 'registered'
    and t.kind in ('signal', 'classifier')
    and s.config_key is null
    and ($only is null or t.trace_id in (select unnest($only::varchar[])));
