-- Forget what a lake said, to take in what it says now. What it alone has goes; a trace that another
-- lake has stays as it is.
delete from trace_file as t
using internal.lake_trace as l
where
    l.trace_id = t.trace_id
    and l.lake_id = $lake_id
    and t.trace_number is null
    and t.has_original = false
    and t.trace_id not in (select trace_id from internal.lake_trace where lake_id <> $lake_id);

delete from internal.lake_trace where lake_id = $lake_id;

delete from internal.lake_file where lake_id = $lake_id;

delete from run
where
    directory_id in (select directory_id from directory where root_id = $root_id)
    and run_id not in (select run_id from trace_file);

delete from run_folder
where
    directory_id in (select directory_id from directory where root_id = $root_id)
    and run_id not in (select run_id from run);

delete from directory
where
    root_id = $root_id
    and directory_id not in (select directory_id from trace_file)
    and directory_id not in (select directory_id from run)
    and directory_id not in (select directory_id from run_folder);
