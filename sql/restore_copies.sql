-- Copies of traces that come back are copies of registered traces again.
update other_file
set
    status = 'copy',
    reason = 'copy of a registered trace',
    error = null,
    hint = null
where
    reason = 'copy of a forgotten trace'
    and trace_id in (select trace_id from incoming_id);
