-- Forget traces, and what was computed of them. Their files are passed over from then on.
create or replace temp table touched as
select latest_key, symbol, timeframe, kind
from trace_file
semi join incoming_id using (trace_id);

create or replace temp table left_run as
select distinct run_id
from trace_file
semi join incoming_id using (trace_id);

insert into other_file by name
select
    t.directory_id,
    t.file_name,
    t.file_size_bytes,
    t.mtime_ns,
    'ignored' as status,
    t.trace_id,
    case
        when t.kind in ('signal', 'classifier') then 'forgotten'
        else 'forgotten events'
    end as reason,
    'the trace was forgotten on request' as error,
    'Bring it back with: catalog register FOLDER --forgotten' as hint,
    now() as seen_at
from trace_file as t
semi join incoming_id using (trace_id)
where t.status = 'registered' and t.has_original is distinct from false;

update other_file
set
    status = 'ignored',
    reason = 'copy of a forgotten trace',
    error = 'the trace was forgotten on request',
    hint = 'Bring it back with: catalog register FOLDER --forgotten'
where status = 'copy' and trace_id in (select trace_id from incoming_id);

delete from internal.metric where trace_id in (select trace_id from incoming_id);

delete from session_returns where trace_id in (select trace_id from incoming_id);

delete from packed_trace where trace_id in (select trace_id from incoming_id);

delete from trace_file where trace_id in (select trace_id from incoming_id);

delete from event_strategy
where
    run_id in (select run_id from left_run)
    and run_id not in (
        select run_id
        from trace_file
        where kind in ('order', 'fill', 'position')
    );

-- Which folder such a run was in stays known: what comes back of it has the id that it had.
delete from run
where
    run_id in (select run_id from left_run)
    and run_id not in (select run_id from trace_file);
