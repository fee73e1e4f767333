-- The files that could not be registered, each with its reason.
select path, reason, error, hint, file_size_bytes, modified_at, seen_at
from other_files
where status = 'quarantined';
