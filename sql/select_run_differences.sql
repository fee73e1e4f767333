-- What two runs traced, a row per strategy, kind, symbol and timeframe: in one only, or how alike.
with traced as (
    select
        t.run_id,
        -- 20 and 20.0 are one configuration; what is unknown goes by the name that the run gave it.
        coalesce(s.config_key, s.strategy_hash, t.strategy_id, t.file_name) as identity,
        t.kind,
        t.symbol,
        t.timeframe,
        arg_min(s.strategy_hash, (t.strategy_id, t.trace_id)) as strategy_hash,
        min(t.strategy_type) as strategy_type,
        min(t.strategy_id) as strategy_id,
        arg_min(t.trace_id, (t.strategy_id, t.trace_id)) as trace_id,
        count(*) as traces,
        list(distinct t.content_digest order by t.content_digest) as contents,
        min(t.first_bar) as first_bar,
        max(t.last_bar) as last_bar,
        min(t.first_ts) as first_ts,
        max(t.last_ts) as last_ts
    from trace_file as t
    left join strategy as s using (strategy_key)
    where
        t.run_id in ($a, $b)
        and t.kind in ('signal', 'classifier')
        and t.status = 'registered'
    group by all
)
select
    case
        when b.identity is null then 'only in a'
        when a.identity is null then 'only in b'
        when
            a.first_bar is distinct from b.first_bar
            or a.last_bar is distinct from b.last_bar
            or a.first_ts <> b.first_ts
            or a.last_ts <> b.last_ts
        then 'other range'
        when a.contents = b.contents then 'same content'
        else 'changed content'
    end as finding,
    coalesce(a.strategy_hash, b.strategy_hash) as strategy_hash,
    coalesce(a.strategy_type, b.strategy_type) as strategy_type,
    coalesce(a.kind, b.kind) as kind,
    coalesce(a.symbol, b.symbol) as symbol,
    coalesce(a.timeframe, b.timeframe) as timeframe,
    a.strategy_id as id_a,
    b.strategy_id as id_b,
    a.first_bar as first_bar_a,
    a.last_bar as last_bar_a,
    b.first_bar as first_bar_b,
    b.last_bar as last_bar_b,
    a.contents = b.contents as same_digest,
    a.traces as traces_a,
    b.traces as traces_b,
    a.trace_id as trace_a,
    b.trace_id as trace_b
from (from traced where run_id = $a) as a
full join (from traced where run_id = $b) as b
    on
        a.identity = b.identity
        and a.kind = b.kind
        and a.symbol is not distinct from b.symbol
        and a.timeframe is not distinct from b.timeframe
order by
    case finding
        when 'changed content' then 0
        when 'only in a' then 1
        when 'only in b' then 2
        when 'other range' then 3
        else 4
    end,
    strategy_type,
    coalesce(id_a, id_b),
    kind,
    symbol,
    timeframe;
