-- Which metric sets have figures, and in the states of which classifiers, as facts.
select to_json(f)
from (
    select distinct
        set_id,
        classifier as by_regime,
        cast(null as varchar) as condition
    from internal.metric
    order by set_id, by_regime nulls first
) as f;
