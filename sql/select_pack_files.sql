-- The packs, by their paths.
select distinct pack_path
from trace_files
where pack_path is not null;
