-- What two traces earned over their whole ranges, on terms that both were measured on if there are any.
with measured as (
    select *
    from metrics
    where trace_id in ($a, $b) and period = 'all' and regime is null
)
select *
from measured
where
    set_id = (
        select set_id
        from measured
        group by set_id
        order by count(*) desc, bool_or(is_default) desc, set_id
        limit 1
    );
