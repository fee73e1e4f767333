-- How many of some traces the catalog has from nowhere else.
select count(*)
from incoming_trace as i
anti join (
    select trace_id
    from internal.trace_file
    where status = 'registered' and (has_original is distinct from false or pack_path is not null)
) as t using (trace_id);
