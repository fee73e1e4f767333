-- How many traces, strategies and runs there are.
select
    (select count(*) from trace_file) as traces,
    (select count(*) from strategy) as strategies,
    (select count(*) from run) as runs;
