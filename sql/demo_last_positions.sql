-- How many strategies are long, flat or short of each symbol, and what each type holds on average.
with held as (
    select
        symbol,
        strategy_type,
        coalesce(last_val, 0) as position
    from trace_files
    where kind = 'signal'
)
select
    symbol,
    count(*) filter (where position > 0) as long,
    count(*) filter (where position = 0) as flat,
    count(*) filter (where position < 0) as short,
    round(avg(position) filter (where strategy_type = 'ma_crossover'), 2) as ma_crossover,
    round(avg(position) filter (where strategy_type = 'momentum'), 2) as momentum,
    round(avg(position) filter (where strategy_type = 'bollinger_bands'), 2) as bollinger_bands,
    round(avg(position) filter (where strategy_type = 'rsi'), 2) as rsi
from held
group by symbol
order by symbol;
