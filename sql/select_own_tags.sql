-- The tags of one strategy, by the keys that it has or had, and of its traces.
select tag, trace_id, note, tagged_at
from tag
where strategy_key in (select unnest($keys::varchar[]))
order by tag, tagged_at;
