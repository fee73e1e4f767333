-- How many traces were in these packs only.
select count(*)
from trace_file
where list_contains($gone, pack_path) and not has_original;
