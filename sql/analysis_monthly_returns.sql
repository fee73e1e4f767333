-- The months of a strategy, $strategy_hash, as fractions: a row a year on each symbol, without cost.
select
    t.symbol,
    t.timeframe,
    year(r.session_date) as year,
    product(1 + r.ret_gross) filter (month(r.session_date) = 1) - 1 as jan,
    product(1 + r.ret_gross) filter (month(r.session_date) = 2) - 1 as feb,
    product(1 + r.ret_gross) filter (month(r.session_date) = 3) - 1 as mar,
    product(1 + r.ret_gross) filter (month(r.session_date) = 4) - 1 as apr,
    product(1 + r.ret_gross) filter (month(r.session_date) = 5) - 1 as may,
    product(1 + r.ret_gross) filter (month(r.session_date) = 6) - 1 as jun,
    product(1 + r.ret_gross) filter (month(r.session_date) = 7) - 1 as jul,
    product(1 + r.ret_gross) filter (month(r.session_date) = 8) - 1 as aug,
    product(1 + r.ret_gross) filter (month(r.session_date) = 9) - 1 as sep,
    product(1 + r.ret_gross) filter (month(r.session_date) = 10) - 1 as oct,
    product(1 + r.ret_gross) filter (month(r.session_date) = 11) - 1 as nov,
    product(1 + r.ret_gross) filter (month(r.session_date) = 12) - 1 as dec,
    product(1 + r.ret_gross) - 1 as total
from daily_returns as r
join trace_files as t using (trace_id)
where t.strategy_hash = $strategy_hash and t.is_latest
group by all
order by all;
