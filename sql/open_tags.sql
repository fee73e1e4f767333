-- The tags of a lake; of one that several people set the last.
select
    strategy_key,
    trace_id,
    tag,
    note,
    tagged_at
from lake_tags
qualify row_number() over (
    partition by coalesce(trace_id, strategy_key), trace_id is null, tag
    order by tagged_at desc, note desc nulls last, writer desc
) = 1;
