-- The signal strategies whose latest traces were measured, with their parameter columns.
select s.*
from strategies as s
where
    s.kind = 'signal'
    and s.strategy_type is not null
    and s.strategy_key in (
        select t.strategy_key
        from trace_file as t
        join metric as m on m.trace_id = t.trace_id
        where t.is_latest and m.set_id = 1 and m.period = 'all' and m.regime is null
    );
