-- The lakes that a catalog reads traces from, with those who published what it has of each.
select
    l.lake_id,
    case when l.is_relative then getvariable('catalog_root') || '/' else '' end || l.place as place,
    coalesce(list(distinct t.writer) filter (t.writer is not null), []) as writers
from internal.lake as l
left join internal.lake_trace as t using (lake_id)
group by all
order by l.lake_id;
