-- Take traces out by their ids.
delete from trace_file where trace_id in (select unnest($trace_ids));
