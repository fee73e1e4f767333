-- One row per fill of an order. The strategy is the one that the run knew under the strategy_id.
select
    r.idx,
    r.idx - f.idx_base as bar_index,
    case
        when regexp_matches(r.ts, ':\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$')
        then try_cast(r.ts as timestamptz)
    end as ts,
    case
        when f.generation = 'G5'
        then strftime(try_cast(r.ts as timestamptz) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')
        else r.ts
    end as ts_raw,
    r.sym,
    r.fill_id,
    r.order_id,
    r.position_id,
    r.side,
    r.quantity,
    r.price,
    r.commission,
    r.strategy_id,
    s.strategy_hash,
    s.strategy_type,
    f.trace_id,
    f.run_id,
    coalesce(s.symbol, f.symbol) as symbol,
    coalesce(s.timeframe, f.timeframe) as timeframe
from $rows as r
join trace_files as f on f.path = r.filename
left join run_strategies as s on s.run_id = f.run_id and s.strategy_id = r.strategy_id
where f.kind = 'fill' and f.status = 'registered';
