-- Which pack holds the session returns of which traces, and where those of replaced packs are now.
delete from session_returns
where
    fill = $fill
    and (
        trace_id in (select trace_id from incoming_returns)
        or trace_id not in (select trace_id from trace_file)
    );

update session_returns
set pack_path = $pack_path
where fill = $fill and list_contains($replaced, pack_path);

insert into session_returns by name
from incoming_returns;
