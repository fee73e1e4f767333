-- Move files, and the runs in their folders, to other folders. What is known there already stays.
create or replace temp table moved_folder as
select i.directory_id as old_id, d.directory_id as new_id
from incoming_moved_folder as i
join directory as d using (prefix, is_relative)
where i.directory_id <> d.directory_id;

create or replace temp table placed as
select
    i.directory_id as old_id,
    d.directory_id as new_id,
    i.file_name,
    i.mtime_ns,
    i.new_mtime_ns,
    i.is_there
from incoming_placed as i
join directory as d using (prefix, is_relative);

-- Second copies that were registered at the new place are the traces themselves now.
delete from other_file as o
using placed as p, trace_file as t
where
    o.directory_id = p.new_id
    and o.file_name = p.file_name
    and o.trace_id = t.trace_id
    and t.directory_id = p.old_id
    and t.file_name = p.file_name
    and p.old_id <> p.new_id;

create or replace temp table taken as
select p.old_id, p.file_name
from placed as p
where
    p.old_id <> p.new_id
    and (
        exists (
            select 1
            from trace_file as t
            where t.directory_id = p.new_id and t.file_name = p.file_name
        )
        or exists (
            select 1
            from other_file as o
            where o.directory_id = p.new_id and o.file_name = p.file_name
        )
    );

delete from placed as p
using taken
where p.old_id = taken.old_id and p.file_name = taken.file_name;

-- Whether a trace is the latest of its configuration may change where its file is there again.
create or replace temp table found_again as
select t.latest_key, t.symbol, t.timeframe, t.kind
from trace_file as t
join placed as p on p.old_id = t.directory_id and p.file_name = t.file_name
where t.status = 'missing' and p.is_there;

update trace_file as t
set
    directory_id = p.new_id,
    mtime_ns = p.new_mtime_ns,
    status = case when p.is_there then 'registered' else t.status end,
    has_original = case when t.trace_number is not null then p.is_there end
from placed as p
where
    t.directory_id = p.old_id
    and t.file_name = p.file_name
    and t.mtime_ns = p.mtime_ns;

update other_file as o
set directory_id = p.new_id
from placed as p
where
    o.directory_id = p.old_id
    and o.file_name = p.file_name
    and p.old_id <> p.new_id;

delete from other_file as o
using taken
where o.directory_id = taken.old_id and o.file_name = taken.file_name;

update run
set directory_id = m.new_id
from moved_folder as m
where run.directory_id = m.old_id;

delete from run_folder as f
using moved_folder as m
where
    f.directory_id = m.old_id
    and m.new_id in (select directory_id from run_folder);

update run_folder as f
set directory_id = m.new_id
from moved_folder as m
where f.directory_id = m.old_id;

-- What was moved out of has no use any more.
delete from directory
where
    directory_id in (select old_id from moved_folder)
    and directory_id not in (select directory_id from trace_file)
    and directory_id not in (select directory_id from other_file)
    and directory_id not in (select directory_id from run)
    and directory_id not in (select directory_id from run_folder);

delete from root
where
    root_id not in (select root_id from directory)
    and starts_with(case when is_relative then $root || '/' else '' end || prefix, $folder);
