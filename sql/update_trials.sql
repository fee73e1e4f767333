-- What trials earned, now that it is known.
update trial as t
set
    sharpe_session = m.sharpe_session,
    drift_sharpe = m.drift_sharpe,
    tried_at = now()
from (
    select
        f.symbol,
        f.timeframe,
        m.start_bar,
        m.bar_count,
        f.content_digest,
        any_value(m.sharpe_session) as sharpe_session,
        any_value(m.drift_sharpe) as drift_sharpe
    from metric as m
    join trace_file as f using (trace_id)
    where m.set_id = $set_id and m.period = 'all' and m.regime is null
    group by all
) as m
where
    t.set_id = $set_id
    and t.symbol = m.symbol
    and t.timeframe = m.timeframe
    and t.start_bar = m.start_bar
    and t.bar_count = m.bar_count
    and t.content_digest = m.content_digest
    and (
        t.sharpe_session is distinct from m.sharpe_session
        or t.drift_sharpe is distinct from m.drift_sharpe
    );
