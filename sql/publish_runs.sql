-- All runs, or those of the chosen traces.
select *
from runs
where
    getvariable('publish_all')
    or run_id in (select run_id from trace_file where trace_id in (select trace_id from chosen));
