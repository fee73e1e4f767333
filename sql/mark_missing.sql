-- Mark registered traces whose file is gone, and forget other files that are gone.
create or replace temp table gone as
select d.directory_id, g.file_name
from incoming_gone as g
join directory as d using (prefix, is_relative);

update trace_file
set status = 'missing', is_latest = false
from gone
where trace_file.directory_id = gone.directory_id and trace_file.file_name = gone.file_name;

delete from other_file
using gone
where other_file.directory_id = gone.directory_id and other_file.file_name = gone.file_name;

create or replace temp table promoted as
select o.directory_id, o.file_name, o.mtime_ns, o.trace_id
from other_file as o
semi join (
    select trace_id from trace_file where status = 'missing'
) as lost using (trace_id)
where o.status = 'copy'
qualify row_number() over (partition by o.trace_id order by o.directory_id, o.file_name) = 1;

update trace_file
set
    status = 'registered',
    directory_id = promoted.directory_id,
    file_name = promoted.file_name,
    mtime_ns = promoted.mtime_ns
from promoted
where trace_file.trace_id = promoted.trace_id and trace_file.status = 'missing';

delete from other_file
using promoted
where
    other_file.directory_id = promoted.directory_id
    and other_file.file_name = promoted.file_name;
