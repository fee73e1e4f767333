-- The runs of another catalog, a row for each folder that one lies in.
select
    r.run_id,
    r.name,
    r.recorded_id,
    r.created_at,
    r.registered_at,
    cast(r.data_source as varchar) as data_source,
    r.symbol,
    r.timeframe,
    r.total_bars,
    w.records_stamp,
    w.sweep_digest,
    r.directory_id = w.directory_id as is_home,
    case when d.is_relative then $root || '/' else '' end || d.prefix as folder
from internal.run as r
join internal.run_folder as w using (run_id)
join internal.directory as d on d.directory_id = w.directory_id
where not starts_with(folder, 'lake:');
