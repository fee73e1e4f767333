-- The session returns of some traces, with what they are sorted by in the lake.
select
    t.trace_id,
    r.session_date,
    r.ret_gross,
    r.ret_overnight,
    r.turnover,
    r.bars_held,
    t.strategy_hash
from pack_rows as r
join returned as t using (return_number)
where t.fill = $fill;
