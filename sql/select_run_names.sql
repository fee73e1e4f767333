-- The runs that go by a reference: the best sort of match that there is.
with matches as (
    select run_id, 1 as rank
    from runs
    where run_id = $reference
    union all
    select run_id, 2 as rank
    from runs
    where name = $reference or recorded_id = $reference or rtrim(root, '/') = rtrim($path, '/')
    union all
    select run_id, 3 as rank
    from runs
    where length($reference) >= 4 and (starts_with(run_id, $reference) or suffix(run_id, $reference))
)
select distinct run_id
from matches
where rank = (select min(rank) from matches)
order by run_id;
