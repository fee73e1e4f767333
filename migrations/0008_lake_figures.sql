-- From which lake figures and session returns came, none where they were computed here: what the lake
-- has no more goes when it is opened again.
alter table internal.metric add column lake_id integer;

alter table internal.session_returns add column lake_id integer;
