-- The registered files of some runs, by their paths below the run.
select t.run_id, t.run_path, t.file_digest
from trace_file as t
where t.run_id in (select unnest($run_ids));
