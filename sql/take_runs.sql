-- Take runs in: what was registered last says what a run is, and it stays where it is.
create or replace temp table placed_run as
select i.* exclude (prefix, is_relative), d.directory_id
from taken_run as i
join directory as d using (prefix, is_relative);

create or replace temp table said_run as
select *
from placed_run
where is_home
qualify row_number() over (partition by run_id order by registered_at desc, name desc, directory_id) = 1;

update run as r
set
    name = s.name,
    recorded_id = s.recorded_id,
    created_at = s.created_at,
    registered_at = s.registered_at,
    data_source = s.data_source,
    symbol = s.symbol,
    timeframe = s.timeframe,
    total_bars = s.total_bars
from said_run as s
where s.run_id = r.run_id and (s.registered_at, s.name) > (r.registered_at, r.name);

insert into run by name
select * exclude (records_stamp, sweep_digest, is_home)
from said_run
anti join run using (run_id);

insert into run_folder by name
select directory_id, run_id, records_stamp, sweep_digest
from placed_run
anti join run_folder using (directory_id)
qualify row_number() over (partition by directory_id order by run_id) = 1;
