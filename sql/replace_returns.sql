-- Which pack holds the session returns of which traces, and where those of replaced packs are now.
delete from session_returns
where
    trace_id not in (select trace_id from trace_file)
    or (fill = $fill and trace_id in (select trace_id from incoming_returns));

update session_returns
set pack_path = $pack_path
where fill = $fill and list_contains($replaced, pack_path);

insert into session_returns by name
select i.*
from incoming_returns as i
semi join trace_file as t on t.trace_id = i.trace_id;
