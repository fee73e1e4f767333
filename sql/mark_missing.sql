-- Mark registered traces whose file is gone, and forget other files that are gone. The rows of
-- packed traces are still there.
create or replace temp table gone as
select d.directory_id, g.file_name
from incoming_gone as g
join directory as d using (prefix, is_relative);

update trace_file
set has_original = false
from gone
where
    trace_file.directory_id = gone.directory_id
    and trace_file.file_name = gone.file_name
    and trace_file.trace_number is not null;

update trace_file
set status = 'missing', is_latest = false
from gone
where
    trace_file.directory_id = gone.directory_id
    and trace_file.file_name = gone.file_name
    and trace_file.trace_number is null;

delete from other_file
using gone
where other_file.directory_id = gone.directory_id and other_file.file_name = gone.file_name;
