-- The ids of traces by their run, by their strategy, by a name of their own, or that are missing.
select t.trace_id
from trace_files as t
where
    ($run is null or t.run_id = $run)
    and (not $missing or t.status = 'missing')
    and (
        $names is null
        or list_contains($names, t.trace_id)
        or list_contains($names, t.path)
        or list_contains($keys, t.strategy_key)
    )
order by t.trace_id;
