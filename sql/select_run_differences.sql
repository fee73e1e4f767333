-- What two runs traced, a row per strategy, kind, symbol, timeframe and range that both have.
with traced as (
    select
        t.run_id,
        -- 20 and 20.0 are one configuration; what is unknown goes by the name that the run gave it.
        coalesce(s.config_key, s.strategy_hash, t.strategy_id, t.file_name) as identity,
        s.strategy_hash is null as is_unknown,
        s.strategy_hash,
        t.strategy_type,
        t.strategy_id,
        t.trace_id,
        t.kind,
        t.symbol,
        t.timeframe,
        t.content_digest,
        t.first_bar,
        t.last_bar,
        t.first_ts,
        t.last_ts
    from trace_file as t
    left join strategy as s using (strategy_key)
    where
        t.run_id in ($a, $b)
        and t.kind in ('signal', 'classifier')
        and t.status = 'registered'
),
told as (
    select distinct run_id, identity, is_unknown, strategy_id, kind, symbol, timeframe
    from traced
    where strategy_id in (select strategy_id from traced where is_unknown)
),
alone as (
    from told as one
    where not exists (
        from told as other
        where
            other.run_id <> one.run_id
            and other.identity = one.identity
            and other.kind = one.kind
            and other.symbol is not distinct from one.symbol
            and other.timeframe is not distinct from one.timeframe
    )
),
-- A configuration that only one of the runs tells is found in the other by the strategy's name.
named as (
    select b.identity, b.kind, b.symbol, b.timeframe, min(a.identity) as other
    from (from alone where run_id = $a) as a
    join (from alone where run_id = $b) as b
        on
            a.strategy_id = b.strategy_id
            and a.kind = b.kind
            and a.symbol is not distinct from b.symbol
            and a.timeframe is not distinct from b.timeframe
            and a.is_unknown <> b.is_unknown
    group by all
    having
        count(distinct a.identity) = 1
        and count(distinct b.strategy_id) = 1
),
span as (
    select
        t.run_id,
        coalesce(n.other, t.identity) as identity,
        t.kind,
        t.symbol,
        t.timeframe,
        t.first_bar,
        t.last_bar,
        t.first_ts,
        t.last_ts,
        arg_min(t.strategy_hash, concat(t.strategy_id, t.trace_id)) as strategy_hash,
        min(t.strategy_type) as strategy_type,
        min(t.strategy_id) as strategy_id,
        arg_min(t.trace_id, concat(t.strategy_id, t.trace_id)) as trace_id,
        count(*) as traces,
        list_sort(list_distinct(list(t.content_digest))) as contents
    from traced as t
    left join named as n
        on
            t.run_id = $b
            and t.identity = n.identity
            and t.kind = n.kind
            and t.symbol is not distinct from n.symbol
            and t.timeframe is not distinct from n.timeframe
    group by all
),
same_range as (
    select a.trace_id as trace_a, b.trace_id as trace_b
    from (from span where run_id = $a) as a
    join (from span where run_id = $b) as b
        on
            a.identity = b.identity
            and a.kind = b.kind
            and a.symbol is not distinct from b.symbol
            and a.timeframe is not distinct from b.timeframe
            and a.first_bar is not distinct from b.first_bar
            and a.last_bar is not distinct from b.last_bar
            -- Times that one does not know are no others.
            and coalesce(a.first_ts = b.first_ts, true)
            and coalesce(a.last_ts = b.last_ts, true)
),
matched as (
    select trace_a as trace_id from same_range
    union all
    select trace_b from same_range
),
marked as (
    select *, trace_id not in (from matched) as is_left
    from span
),
rest as (
    select distinct identity, kind, symbol, timeframe
    from marked
    where is_left
),
-- Of the ranges that only one has, the one that ends last and is the longest stands for all.
side as (
    select
        s.run_id,
        s.identity,
        s.kind,
        s.symbol,
        s.timeframe,
        s.trace_id,
        s.is_left,
        sum(s.traces) over (
            partition by s.run_id, s.identity, s.kind, s.symbol, s.timeframe, s.is_left
        )::bigint as traces
    from marked as s
    semi join rest as r
        on
            s.identity = r.identity
            and s.kind = r.kind
            and s.symbol is not distinct from r.symbol
            and s.timeframe is not distinct from r.timeframe
    qualify
        row_number() over (
            partition by s.run_id, s.identity, s.kind, s.symbol, s.timeframe
            order by
                s.is_left desc,
                s.last_ts desc nulls last,
                s.last_bar desc nulls last,
                s.first_bar,
                s.trace_id
        ) = 1
),
pair as (
    select trace_a, trace_b, null as traces_a, null as traces_b, true as is_one_range
    from same_range
    union all
    select a.trace_id, b.trace_id, a.traces, b.traces, false
    from (from side where run_id = $a) as a
    full join (from side where run_id = $b) as b
        on
            a.identity = b.identity
            and a.kind = b.kind
            and a.symbol is not distinct from b.symbol
            and a.timeframe is not distinct from b.timeframe
    where a.is_left or b.is_left
)
select
    case
        when b.trace_id is null then 'only in a'
        when a.trace_id is null then 'only in b'
        when not is_one_range then 'other range'
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
    coalesce(p.traces_a, a.traces) as traces_a,
    coalesce(p.traces_b, b.traces) as traces_b,
    p.trace_a,
    p.trace_b
from pair as p
left join span as a on a.trace_id = p.trace_a
left join span as b on b.trace_id = p.trace_b
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
    timeframe,
    first_bar_a,
    last_bar_a;
