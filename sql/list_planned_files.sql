-- The loose files and the packs that hold the chosen traces, as patterns that meet nothing else.
select
    count(*) as traces,
    coalesce(
        list(regexp_replace(path, '[*?[]', '[\0]', 'g') order by path) filter (trace_number is null),
        []
    ) as files,
    coalesce(
        list(distinct regexp_replace(pack_path, '[*?[]', '[\0]', 'g'))
            filter (trace_number is not null),
        []
    ) as packs
from planned;
