-- A metric over the grid of two parameters: a row per cell, with the median and the greatest of the
-- strategies behind it, and the median of the cells beside it. The columns are put in by name.
-- Of a number with more values than can be seen side by side, neighbouring values are one step, and
-- each step has about as many of them: from x to x_last.
with chosen as (
    select
        x_column as x,
        y_column as y,
        facet_column as facet,
        metric_column as value
    from leaderboard
    where x_column is not null and y_column is not null
),
placed as materialized (
    select
        *,
        dense_rank() over (order by x) - 1 as x_place,
        dense_rank() over (order by y) - 1 as y_place,
        dense_rank() over (order by facet) - 1 as facet_place
    from chosen
),
counted as (
    select max(x_place) + 1 as x_values, max(y_place) + 1 as y_values, max(facet_place) + 1 as facets
    from placed
),
stepped as (
    select
        *,
        case when $x_is_number and x_values > $most_steps then x_place * $steps // x_values else x_place end
            as x_step,
        case when $y_is_number and y_values > $most_steps then y_place * $steps // y_values else y_place end
            as y_step,
        case when $facet_is_number and facets > $most_maps then facet_place * $maps // facets else facet_place end
            as facet_step
    from placed, counted
),
cells as (
    select
        x_step,
        y_step,
        facet_step,
        min(x) as x,
        max(x) as x_last,
        min(y) as y,
        max(y) as y_last,
        min(facet) as facet,
        max(facet) as facet_last,
        median(value) as value,
        max(value) as best,
        count(*) as count
    from stepped
    group by x_step, y_step, facet_step
),
beside as (
    -- Words have no order, and so no next one.
    select facet_step, x_step + unnest([-1, 1]) as x_step, y_step, value
    from cells
    where $x_is_number
    union all
    select facet_step, x_step, y_step + unnest([-1, 1]) as y_step, value
    from cells
    where $y_is_number
),
plateaus as (
    select facet_step, x_step, y_step, median(value) as plateau
    from beside
    group by all
)
select
    -- A step is the same in all cells, whichever of its values are in one of them.
    min(c.x) over (partition by c.x_step) as x,
    max(c.x_last) over (partition by c.x_step) as x_last,
    min(c.y) over (partition by c.y_step) as y,
    max(c.y_last) over (partition by c.y_step) as y_last,
    min(c.facet) over (partition by c.facet_step) as facet,
    max(c.facet_last) over (partition by c.facet_step) as facet_last,
    c.value,
    c.best,
    c.count,
    p.plateau
from cells as c
left join plateaus as p
    on p.facet_step = c.facet_step and p.x_step = c.x_step and p.y_step = c.y_step
order by c.facet_step, c.x_step, c.y_step;
