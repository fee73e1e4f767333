-- What the list of strategies can be filtered by: a row a value, the most frequent ones first.
with traces as (
    select strategy_type, symbol, timeframe, run_id, is_latest
    from trace_files
    where kind = 'signal' and status = 'registered'
)
select 'strategy_type' as name, strategy_type as value, count(*) as traces
from traces
where is_latest and strategy_type is not null
group by all
union all
select 'symbol', symbol, count(*) from traces where is_latest and symbol is not null group by all
union all
select 'timeframe', timeframe, count(*)
from traces
where is_latest and timeframe is not null
group by all
union all
select 'run_id', run_id, count(*) from traces group by all
union all
select 'tag', tag, count(*) from tags group by all
union all
select 'all', null, count(*) from traces where is_latest
union all
select 'measured', null, count(*) from metrics where is_default and period = 'all'
order by name, traces desc, value;
