-- The files of lakes that hold rows of a relation, by lake: below the catalog's folder, or by their
-- full place.
select
    l.lake_id,
    l.is_relative,
    list(l.place || '/' || f.path order by f.path) as files
from internal.lake as l
join internal.lake_file as f using (lake_id)
where f.relation = $relation
group by l.lake_id, l.is_relative
order by l.lake_id;
