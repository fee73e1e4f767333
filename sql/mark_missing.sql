-- Mark registered traces whose file is gone, and forget other files that are gone. The rows of
-- traces in packs and lakes are still there.
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
    and (
        trace_file.trace_number is not null
        or trace_file.trace_id in (
            select trace_id from internal.lake_trace where file_id is not null
        )
    );

update trace_file
set status = 'missing', is_latest = false
from gone
where
    trace_file.directory_id = gone.directory_id
    and trace_file.file_name = gone.file_name
    and trace_file.trace_number is null
    and trace_file.has_original is distinct from false;

delete from other_file
using gone
where other_file.directory_id = gone.directory_id and other_file.file_name = gone.file_name;
