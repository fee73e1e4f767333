-- Traces that are gone or have no configuration are none of the latest.
update trace_file
set is_latest = false
where is_latest and (status <> 'registered' or latest_key is null);
