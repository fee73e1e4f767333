-- The files that were seen at and below a folder.
with inside as (
    select directory_id
    from directory
    where starts_with(case when is_relative then $root || '/' else '' end || prefix, $folder)
)
select
    directory_id,
    file_name,
    file_size_bytes,
    mtime_ns,
    status,
    config_source = 'unknown' and kind in ('signal', 'classifier') as lacks_config,
    coalesce(config_source = 'sweep', false) as from_sweep
from trace_file
semi join inside using (directory_id)
-- What is in a pack only is not looked for.
where has_original is distinct from false
union all
select
    directory_id,
    file_name,
    file_size_bytes,
    mtime_ns,
    case
        when reason in ('forgotten', 'forgotten events', 'copy of a forgotten trace') then 'forgotten'
        else status
    end as status,
    false as lacks_config,
    false as from_sweep
from other_file
semi join inside using (directory_id);
