-- Take a ledger of trials in: what was tried anywhere was tried. Of two figures of one trial the
-- later one counts.
update trial as t
set tried_at = least(t.tried_at, i.tried_at), is_flat = t.is_flat and i.is_flat
from taken_trial as i
where
    i.symbol = t.symbol
    and i.timeframe = t.timeframe
    and i.from_ts = t.from_ts
    and i.to_ts = t.to_ts
    and i.content_digest = t.content_digest
    and (i.tried_at < t.tried_at or (t.is_flat and not i.is_flat));

insert into trial by name
select i.*
from taken_trial as i
anti join trial as t using (symbol, timeframe, from_ts, to_ts, content_digest);

delete from trial_figure as f
using taken_figure as i
where
    i.set_id = f.set_id
    and i.symbol = f.symbol
    and i.timeframe = f.timeframe
    and i.from_ts = f.from_ts
    and i.to_ts = f.to_ts
    and i.content_digest = f.content_digest
    and (i.measured_at, coalesce(i.sharpe_session, 0)) > (f.measured_at, coalesce(f.sharpe_session, 0));

insert into trial_figure by name
select i.*
from taken_figure as i
anti join trial_figure as f using (set_id, symbol, timeframe, from_ts, to_ts, content_digest);

delete from metric_range as r
using taken_range as i
where
    i.set_id = r.set_id
    and i.symbol = r.symbol
    and i.timeframe = r.timeframe
    and (i.to_ts, r.from_ts) > (r.to_ts, i.from_ts);

insert into metric_range by name
select i.*
from taken_range as i
anti join metric_range as r using (set_id, symbol, timeframe);
