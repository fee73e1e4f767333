-- Take traces out of packs that are gone.
delete from packed_trace
where list_contains($gone, pack_path);

update trace_file
set
    status = case when has_original then status else 'missing' end,
    is_latest = is_latest and has_original,
    trace_number = null,
    pack_path = null,
    has_original = null
where list_contains($gone, pack_path);
