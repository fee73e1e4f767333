-- Let copies take the place of traces whose file is gone, has changed, or cannot be read now.
create or replace temp table promoted as
select o.directory_id, o.file_name, o.mtime_ns, o.trace_id
from other_file as o
semi join (
    select trace_id
    from trace_file
    semi join replaced using (directory_id, file_name)
    -- What is read again and says the same stays where it is.
    anti join staged using (trace_id)
) as lost using (trace_id)
anti join replaced using (directory_id, file_name)
where o.status = 'copy'
qualify row_number() over (partition by o.trace_id order by o.directory_id, o.file_name) = 1;

update trace_file
set
    status = 'registered',
    directory_id = promoted.directory_id,
    file_name = promoted.file_name,
    mtime_ns = promoted.mtime_ns
from promoted
where trace_file.trace_id = promoted.trace_id;

delete from other_file
using promoted
where
    other_file.directory_id = promoted.directory_id
    and other_file.file_name = promoted.file_name;
