-- What was tried: one row per metric set, data and content, which stays when traces are forgotten.
insert into trial by name
select
    i.set_id,
    i.symbol,
    i.timeframe,
    i.start_bar,
    i.bar_count,
    i.content_digest,
    bool_or(i.is_flat) as is_flat,
    null as sharpe_session,
    null as drift_sharpe,
    now() as tried_at
from incoming_trial as i
anti join trial as t using (set_id, symbol, timeframe, start_bar, bar_count, content_digest)
group by all;
