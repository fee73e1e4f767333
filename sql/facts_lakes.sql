-- The lakes that were opened, as facts.
select to_json(f)
from (
    select place, is_relative
    from internal.lake
    order by lake_id
) as f;
