-- The digests that the files of traces have which are in packs too.
select trace_id, file_digest
from trace_file
where trace_number is not null and list_contains($trace_ids, trace_id);
