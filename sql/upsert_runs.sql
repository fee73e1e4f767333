-- Record runs, and the folders that they lie in.
create or replace temp table staged_run as
select r.*, d.directory_id
from incoming_run as r
join directory as d using (prefix, is_relative);

insert into run by name
select
    run_id, name, recorded_id, directory_id, created_at, registered_at,
    data_source, symbol, timeframe, total_bars
from staged_run
anti join run using (run_id)
qualify row_number() over (partition by run_id order by prefix) = 1;

update run
set
    name = s.name,
    recorded_id = s.recorded_id,
    created_at = s.created_at,
    data_source = s.data_source,
    symbol = s.symbol,
    timeframe = s.timeframe,
    total_bars = s.total_bars,
    directory_id = s.directory_id
from staged_run as s
where run.run_id = s.run_id and (run.directory_id = s.directory_id or s.moved);

-- A sweep file that made the run before still did.
create or replace temp table staged_folder as
select
    s.directory_id,
    s.run_id,
    s.records_stamp,
    coalesce(s.sweep_digest, f.sweep_digest) as sweep_digest
from staged_run as s
left join run_folder as f using (directory_id);

delete from run_folder using staged_folder as s where run_folder.directory_id = s.directory_id;

insert into run_folder by name select * from staged_folder;
