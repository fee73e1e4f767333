-- Take out what is about to be registered anew.
delete from trace_file
using staged
where
    trace_file.directory_id = staged.directory_id
    and trace_file.file_name = staged.file_name;

delete from other_file
using staged
where
    other_file.directory_id = staged.directory_id
    and other_file.file_name = staged.file_name;
