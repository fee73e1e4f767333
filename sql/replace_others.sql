-- Record the files that were not registered, each with its reason.
create or replace temp table staged_other as
select i.* exclude (prefix, is_relative), d.directory_id
from incoming_other as i
join directory as d using (prefix, is_relative);

delete from other_file
using staged_other as s
where other_file.directory_id = s.directory_id and other_file.file_name = s.file_name;

delete from trace_file
using staged_other as s
where
    trace_file.directory_id = s.directory_id
    and trace_file.file_name = s.file_name;

insert into other_file by name select * from staged_other;
