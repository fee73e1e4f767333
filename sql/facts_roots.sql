-- The folders that people registered, as facts.
select to_json(f)
from (
    select prefix, is_relative
    from internal.root
    -- What a lake has comes back from there.
    where is_relative or not starts_with(prefix, 'lake:')
    order by root_id
) as f;
