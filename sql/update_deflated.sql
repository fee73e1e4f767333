-- Deflated Sharpe ratios that differ from those that are there.
update metric as m
set
    deflated_sharpe = i.deflated_sharpe,
    deflated_sharpe_no_drift = i.deflated_sharpe_no_drift
from incoming_deflated as i
where
    m.set_id = $set_id
    and m.period = 'all'
    and m.regime is null
    and m.trace_id = i.trace_id
    and (
        m.deflated_sharpe is distinct from i.deflated_sharpe
        or m.deflated_sharpe_no_drift is distinct from i.deflated_sharpe_no_drift
    );
