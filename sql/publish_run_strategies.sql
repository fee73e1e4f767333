-- The strategy that each strategy_id stands for, in the runs that have orders, fills or positions.
select *
from run_strategies
where
    run_id in (
        select run_id
        from trace_file
        where
            kind in ('order', 'fill', 'position')
            and status = 'registered'
            and trace_id in (select trace_id from chosen)
    );
