-- What a position of 1 grew to by the end of each session, on the prices of some traces: bought at the
-- close of the first bar that one of them saw, and looked at from $first to $last.
with meant as (
    select
        t.symbol,
        t.timeframe,
        min(m.start_bar) as start_bar
    from strategy_index as t
    left join metrics as m
        on m.trace_id = t.trace_id and m.period = 'all' and m.regime is null
    where list_contains($trace_ids::varchar[], t.trace_id)
    group by all
),
priced as (
    select
        b.symbol,
        b.timeframe,
        b.bar_index,
        b.session_date,
        b.close,
        b.bar_index >= m.start_bar and b.session_date >= coalesce($first::date, b.session_date)
            as is_shown
    from bars as b
    join meant as m using (symbol, timeframe)
    where
        b.session_date <= coalesce($last::date, b.session_date)
        and b.close > 0
        and not isnan(b.close)
),
bases as (
    -- What is held before $first earns from the last close before it on.
    select
        p.symbol,
        p.timeframe,
        arg_max(p.close, p.bar_index) as base
    from priced as p
    join meant as m using (symbol, timeframe)
    join (
        select symbol, timeframe, min(bar_index) as first_shown
        from priced
        where is_shown
        group by all
    ) as s using (symbol, timeframe)
    where p.bar_index <= greatest(m.start_bar, s.first_shown - 1)
    group by all
)
select
    p.symbol,
    p.timeframe,
    p.session_date as date,
    arg_max(p.close, p.bar_index) / any_value(b.base) as equity
from priced as p
join bases as b using (symbol, timeframe)
where p.is_shown
group by p.symbol, p.timeframe, p.session_date
order by p.symbol, p.timeframe, p.session_date;
