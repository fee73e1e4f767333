-- Which run lies in which folder, what it said of itself, and which sweep file made it, as facts.
select to_json(f)
from (
    select
        d.prefix,
        d.is_relative,
        w.run_id,
        w.sweep_digest,
        r.directory_id = w.directory_id as is_home,
        r.name,
        r.recorded_id,
        r.created_at,
        r.registered_at,
        cast(r.data_source as varchar) as data_source,
        r.symbol,
        r.timeframe,
        r.total_bars
    from internal.run_folder as w
    join internal.directory as d using (directory_id)
    join internal.run as r using (run_id)
    where d.is_relative or not starts_with(d.prefix, 'lake:')
    order by r.registered_at, w.directory_id
) as f;
