-- The traces whose rows are read for one file of the lake, in order: where they are.
select
    trace_id,
    path,
    file_size_bytes,
    mtime_ns,
    file_digest,
    row_count,
    layout,
    case when trace_number is not null then pack_path end as pack_path,
    trace_number
from part_trace
order by strategy_hash nulls last, trace_id;
