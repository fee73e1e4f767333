-- The metric sets of a lake, numbered anew: each writer has numbers of his own. Of several splits of
-- a set that counts by which figures were computed last.
create or replace temp table lake_set as
with known as (
    select
        cost_bps,
        fill,
        range_start,
        range_end,
        last_days,
        split,
        folds,
        max(computed_at) filter (period <> 'all') as split_at
    from lake_metrics
    group by all
)
select
    row_number() over (order by cost_bps, fill, range_start, range_end, last_days)::integer as set_id,
    *
    exclude (split_at),
    false as is_default
from known
qualify row_number() over (
    partition by cost_bps, fill, range_start, range_end, last_days
    order by split_at desc nulls last, split desc nulls last, folds desc nulls last
) = 1;
