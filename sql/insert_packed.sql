-- Read traces from a new pack: those that are still what they were when they were read.
create or replace temp table fresh as
select i.*
from incoming_packed as i
join trace_file as t using (trace_id)
where
    t.status = 'registered'
    and (t.pack_path is null or list_contains($moving, t.pack_path));

delete from packed_trace
where
    list_contains($replaced, pack_path)
    or trace_id in (select trace_id from fresh);

insert into packed_trace by name
select trace_id, trace_number, pack_path
from fresh;

update trace_file as t
set
    trace_number = f.trace_number,
    pack_path = f.pack_path,
    has_original = coalesce(t.has_original, true)
from fresh as f
where t.trace_id = f.trace_id;
