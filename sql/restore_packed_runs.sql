-- Bring back runs that only traces in packs tell, with the folders that they lay in.
insert into internal.run_folder by name
select d.directory_id, i.run_id, '' as records_stamp
from incoming_run as i
join internal.directory as d using (prefix, is_relative)
where
    i.run_id not in (select run_id from internal.run)
    and d.directory_id not in (select directory_id from internal.run_folder);

insert into internal.run by name
select i.run_id, i.name, d.directory_id, t.registered_at
from incoming_run as i
join internal.directory as d using (prefix, is_relative)
join (
    select run_id, min(registered_at) as registered_at
    from internal.trace_file
    group by run_id
) as t using (run_id)
where i.run_id not in (select run_id from internal.run)
qualify row_number() over (partition by i.run_id order by i.prefix) = 1;
