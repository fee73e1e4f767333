-- Keep second copies of a trace apart: its rows count once.
create or replace temp table held as
select trace_id
from trace_file
semi join staged using (trace_id);

create or replace temp table copied as
select directory_id, file_name, file_size_bytes, mtime_ns, trace_id, registered_at as seen_at
from staged
where trace_id in (select trace_id from held)
union all
select directory_id, file_name, file_size_bytes, mtime_ns, trace_id, registered_at as seen_at
from staged
where trace_id not in (select trace_id from held)
qualify row_number() over (partition by trace_id order by directory_id, file_name) > 1;

delete from staged
using copied
where staged.directory_id = copied.directory_id and staged.file_name = copied.file_name;

insert into other_file by name
select *, 'copy' as status, 'copy of a registered trace' as reason from copied;
