-- Say of packed traces whether their files lie in their folders.
update trace_file
set has_original = $has_original
where list_contains($trace_ids, trace_id) and trace_number is not null;
