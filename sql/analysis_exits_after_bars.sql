-- Exits after 1, 5 and 10 bars: the mean return of entries of a type if they were left so soon, and
-- as they were left. Returns are fractions, gross, and signed by the side that was taken; a fill is
-- at the close of the bar. $prices is a Parquet file with the columns bar_index and close.
with prices as (
    select bar_index, close
    from read_parquet($prices)
),
entries as (
    select
        trace_id,
        symbol,
        timeframe,
        sign(position) as side,
        from_bar,
        case when not is_last then to_bar end as to_bar
    from holdings
    where strategy_type = $strategy_type and symbol = $symbol and timeframe = $timeframe and position <> 0
)
select
    e.side,
    count(*) as entries,
    avg(e.side * (p1.close / p.close - 1)) as after_1_bar,
    avg(e.side * (p5.close / p.close - 1)) as after_5_bars,
    avg(e.side * (p10.close / p.close - 1)) as after_10_bars,
    avg(e.side * (px.close / p.close - 1)) as as_signalled,
    avg(e.to_bar - e.from_bar) as bars_held
from entries as e
join prices as p on p.bar_index = e.from_bar
left join prices as p1 on p1.bar_index = e.from_bar + 1
left join prices as p5 on p5.bar_index = e.from_bar + 5
left join prices as p10 on p10.bar_index = e.from_bar + 10
left join prices as px on px.bar_index = e.to_bar
group by e.side
order by e.side;
