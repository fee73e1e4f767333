-- Pairs of traces of one configuration, symbol and timeframe, the shorter and the longer, that should
-- agree on the bars they share. Copies count once. In a group of more than $most each is paired with
-- the longest only, since all pairs would be too many.
with known as (
    select
        t.trace_id,
        t.strategy_id,
        t.strategy_hash,
        t.strategy_type,
        s.config_key,
        t.symbol,
        t.timeframe,
        t.run_id,
        t.first_bar,
        t.last_bar,
        t.content_digest,
        t.code_digest
    from trace_file as t
    join strategy as s using (strategy_key)
    where
        t.kind = 'signal'
        and t.status = 'registered'
        and s.config_key is not null
        and t.symbol is not null
        and t.timeframe is not null
        and t.first_bar is not null
        and t.last_bar is not null
    qualify
        row_number() over (
            partition by
                s.config_key, t.symbol, t.timeframe, t.content_digest, t.first_bar, t.last_bar, t.first_ts,
                t.last_ts
            order by t.is_latest desc, t.trace_id
        ) = 1
),
placed as (
    select
        *,
        count(*) over (partition by config_key, symbol, timeframe) as members,
        row_number() over (
            partition by config_key, symbol, timeframe
            order by last_bar - first_bar desc, last_bar desc, trace_id
        ) as place
    from known
)
select
    l.strategy_id,
    l.strategy_hash,
    l.strategy_type,
    l.symbol,
    l.timeframe,
    s.run_id as shorter_run,
    l.run_id as longer_run,
    s.trace_id as shorter,
    l.trace_id as longer,
    s.code_digest = l.code_digest as same_code
from placed as l
join placed as s using (config_key, symbol, timeframe)
where
    s.place > l.place
    and (l.members <= $most or l.place = 1)
    and (s.content_digest, s.first_bar, s.last_bar) <> (l.content_digest, l.first_bar, l.last_bar)
    and (
        $only is null
        or s.trace_id in (select unnest($only::varchar[]))
        or l.trace_id in (select unnest($only::varchar[]))
    )
order by l.strategy_type, l.config_key, l.symbol, l.timeframe, l.place, s.place;
