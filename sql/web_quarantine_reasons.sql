-- Why files could not be registered: each reason with how many there are, the first, and what to do.
select
    reason,
    count(*) as files,
    arg_min(path, path) as example,
    arg_min(error, path) as error,
    arg_min(hint, path) as hint,
    max(seen_at) as seen_at
from quarantine
group by reason
order by files desc, reason;
