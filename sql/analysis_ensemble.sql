-- A greedy choice of $n strategies with high deflated Sharpe ratios (else Sharpe ratios) and low mutual
-- correlation: from the best on, each that correlates with none chosen before it above
-- $most_correlation, over the sessions that both have; where that is unknown it counts as above. What
-- moves against another is welcome: for that not to be, take abs(corr(…)). Candidates are the best 200
-- of leaderboard: narrow them by a condition there.
with recursive candidate as materialized (
    select
        row_number() over (
            order by deflated_sharpe desc nulls last, sharpe desc, trace_id
        ) as place,
        trace_id,
        strategy_id,
        strategy_hash,
        symbol,
        timeframe,
        deflated_sharpe,
        sharpe
    from leaderboard
    where sharpe is not null
    qualify place <= 200
),
earned as materialized (
    select c.place, d.session_date, d.ret_gross as ret
    from daily_returns as d
    join candidate as c using (trace_id)
),
pair as materialized (
    select
        a.place as better,
        b.place as place,
        corr(a.ret, b.ret) as correlation
    from earned as a
    join earned as b on b.session_date = a.session_date and b.place > a.place
    group by all
),
-- What each candidate bars from being chosen after it.
barring as (
    select
        c.place,
        coalesce(
            list(o.place) filter (
                o.place is not null and not coalesce(p.correlation <= $most_correlation, false)
            ),
            []
        ) as bars
    from candidate as c
    left join candidate as o on o.place > c.place
    left join pair as p on p.better = c.place and p.place = o.place
    group by c.place
),
chosen as (
    select 0::bigint as number, 0::bigint as place, []::bigint[] as barred
    union all
    (
        select s.number + 1 as number, c.place, list_concat(s.barred, c.bars) as barred
        from chosen as s
        join barring as c on c.place > s.place and not list_contains(s.barred, c.place)
        where s.number < $n
        order by c.place
        limit 1
    )
)
select
    s.number,
    c.strategy_id,
    c.symbol,
    c.timeframe,
    c.deflated_sharpe,
    c.sharpe,
    max(p.correlation) as most_correlation,
    c.strategy_hash,
    c.trace_id
from chosen as s
join candidate as c using (place)
left join chosen as e on e.number between 1 and s.number - 1
left join pair as p on p.better = e.place and p.place = s.place
group by all
order by s.number;
