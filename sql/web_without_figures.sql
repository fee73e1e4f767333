-- Why signal traces that were in the market have no Sharpe ratio: each reason with how many there are, and the first.
select
    case
        when p.symbol is null then 'their prices are not known'
        when m.trace_id is null then 'they were not measured yet'
        else m.note
    end as reason,
    case
        when p.symbol is null or m.note like '%prices%' then 'catalog prices add FILE'
        when m.trace_id is null then 'catalog metrics'
    end as command,
    count(*) as traces,
    min(t.strategy_id) as example,
    list_sort(list(distinct concat_ws(' ', t.symbol, t.timeframe)))[:5] as data
from trace_files as t
left join price_series as p
    on p.symbol is not distinct from t.symbol and p.timeframe is not distinct from t.timeframe
left join metrics as m
    on m.trace_id = t.trace_id and m.is_default and m.period = 'all' and m.regime is null
where
    t.kind = 'signal'
    and t.status = 'registered'
    and m.sharpe is null
    and not t.is_flat
    and coalesce(m.note, '') not like '%all flat%'
group by all
order by traces desc, reason;
