-- Rows that belong to others which are not there. What is measured or packed of a trace that was
-- registered anew is none: the next writer of those takes it away. Nor is the folder of a run that
-- was forgotten. What is only in a pack would be gone with its row: it needs the catalog anew.
with recursive in_use as (
    select strategy_key from trace_file where strategy_key is not null
    union
    select strategy_key from event_strategy
    union
    select c.child_key as strategy_key
    from in_use as u
    join component as c on c.parent_key = u.strategy_key
)
select
    'trace without folder' as sort,
    'trace ' || trace_id as name,
    trace_number is not null as needs_rebuild
from trace_file
anti join directory using (directory_id)
union all
select
    'trace without run',
    'trace ' || trace_id,
    trace_number is not null and has_original is not distinct from false
from trace_file
anti join run using (run_id)
union all
select
    'trace without strategy',
    'trace ' || trace_id,
    trace_number is not null and has_original is not distinct from false
from trace_file
anti join strategy using (strategy_key)
where strategy_key is not null
union all
select 'file without folder', file_name, false from other_file anti join directory using (directory_id)
union all
select 'strategy without traces', 'strategy ' || strategy_key, false
from strategy
anti join in_use using (strategy_key)
union all
select
    'run without folder',
    'run ' || run_id,
    run_id in (select run_id from trace_file where trace_number is not null)
from run
anti join directory using (directory_id)
union all
select 'folder without root', prefix, false from directory anti join root using (root_id)
union all
select 'event of no run', 'strategy ' || strategy_key, false
from event_strategy
anti join run using (run_id)
union all
select 'component', child_key || ' in ' || parent_key, false
from component as c
where
    c.parent_key not in (select strategy_key from strategy)
    or c.child_key not in (select strategy_key from strategy)
order by all;
