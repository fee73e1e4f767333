-- A metric over the grid of two parameters: a row per cell, with the median and the greatest of the
-- strategies behind it, and the median of the cells beside it. The columns are put in by name.
with chosen as (
    select
        x_column as x,
        y_column as y,
        facet_column as facet,
        metric_column as value
    from leaderboard
    where x_column is not null and y_column is not null
),
cells as (
    select
        x,
        y,
        facet,
        median(value) as value,
        max(value) as best,
        count(*) as count
    from chosen
    group by all
),
placed as (
    select
        *,
        dense_rank() over (order by x) as x_place,
        dense_rank() over (order by y) as y_place
    from cells
),
beside as (
    -- Words have no order, and so no next one.
    select facet, x_place + unnest([-1, 1]) as x_place, y_place, value
    from placed
    where $x_steps
    union all
    select facet, x_place, y_place + unnest([-1, 1]) as y_place, value
    from placed
    where $y_steps
),
plateaus as (
    select facet, x_place, y_place, median(value) as plateau
    from beside
    group by all
)
select c.x, c.y, c.facet, c.value, c.best, c.count, p.plateau
from placed as c
left join plateaus as p
    on
        p.facet is not distinct from c.facet
        and p.x_place = c.x_place
        and p.y_place = c.y_place
order by c.facet, c.x, c.y;
