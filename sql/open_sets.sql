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
        max(computed_at) filter (period <> 'all') as split_at,
        true as is_measured
    from lake_metrics
    group by all
    union all by name
    -- What was measured may be forgotten by now; that it was tried is not.
    select distinct cost_bps, fill, range_start, range_end, last_days, false as is_measured
    from (
        select cost_bps, fill, range_start, range_end, last_days
        from lake_trial_figures
        union all
        select cost_bps, fill, range_start, range_end, last_days
        from lake_metric_ranges
    )
)
select
    row_number() over (order by cost_bps, fill, range_start, range_end, last_days)::integer as set_id,
    *
    exclude (split_at, is_measured),
    false as is_default
from known
qualify row_number() over (
    partition by cost_bps, fill, range_start, range_end, last_days
    order by is_measured desc, split_at desc nulls last, split desc nulls last, folds desc nulls last
) = 1;
