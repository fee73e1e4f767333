-- Take files out that are no traces.
delete from other_file as o
using incoming_file as i
where o.directory_id = i.directory_id and o.file_name = i.file_name;
