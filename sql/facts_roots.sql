-- The folders that people registered, as facts.
select to_json(f)
from (
    select prefix, is_relative
    from internal.root
    order by root_id
) as f;
