-- One row per trace and session: what it returned before cost, signals filled at their bar's close.
select
    t.trace_id,
    r.session_date,
    r.ret_gross,
    r.ret_overnight,
    r.turnover,
    r.bars_held
from $rows as r
join session_returns as t using (return_number)
where t.fill = 'close';
