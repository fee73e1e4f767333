-- The registered trace files of one folder.
select file_name
from trace_file
where
    directory_id = $directory_id
    and kind = $kind
    and status = 'registered'
    and trace_number is null
    and has_original is distinct from false
order by file_name;
