-- Traces that are registered, and that were forgotten as they are: the same bytes, or in the
-- pack that they were in.
select t.trace_id
from trace_file as t
join incoming_forgotten as f using (trace_id)
where
    case
        when t.has_original is distinct from false
        then t.file_digest = f.file_digest
        else t.trace_number = f.trace_number and t.pack_path = f.pack_path
    end;
