-- Traces that were registered anew are still in their packs.
update trace_file as t
set
    trace_number = p.trace_number,
    pack_path = p.pack_path,
    -- What was registered anew has not said so yet; that of which only a lake has the rows has.
    has_original = coalesce(t.has_original, true)
from packed_trace as p
where t.trace_id = p.trace_id and t.trace_number is null;
