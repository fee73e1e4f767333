-- Traces whose file is gone, and of which a lake has the rows, are registered again.
update trace_file
set status = 'registered', has_original = false
where
    status = 'missing'
    and trace_number is null
    and trace_id in (select trace_id from internal.lake_trace where file_id is not null);
