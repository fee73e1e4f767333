-- What the catalog has of each configuration on a symbol and timeframe: its best trace.
--
-- Best is what is done and known to be, then done, behind, stale; of these what reaches furthest,
-- then the newest. What does not say which code it was made with is not held to be of another.
with judged as (
    select
        t.latest_key as config_key,
        t.kind,
        t.trace_id,
        t.last_bar,
        epoch_us(coalesce(t.created_at, to_timestamp(t.mtime_ns / 1000000000))) as made_us,
        r.state in ('done', 'behind')
        and c.strategy_type is not null
        and t.code_digest is not null
        and not list_contains(c.digests, t.code_digest) as is_other_code,
        case
            when t.status = 'missing' then 'missing'
            when is_other_code then 'stale'
            else r.state
        end as state,
        case
            when t.status = 'missing' then 'the file of its trace is gone'
            when is_other_code then 'the code of its strategy has changed'
            when r.state in ('done', 'behind') and c.strategy_type is not null
                and t.code_digest is null
            then concat_ws('; ', r.why, 'it does not say which code it was made with')
            else r.why
        end as why
    from trace_file as t
    join incoming_range as r
        on
            r.first_bar is not distinct from t.first_bar
            and r.last_bar is not distinct from t.last_bar
            and r.first_us is not distinct from epoch_us(t.first_ts)
            and r.last_us is not distinct from epoch_us(t.last_ts)
            and r.data_digest is not distinct from t.data_digest
            and r.run_id is not distinct from
            case when list_contains(cast($runs as varchar[]), t.run_id) then t.run_id end
    left join incoming_code as c on c.strategy_type = t.strategy_type
    where
        t.symbol = $symbol
        and t.timeframe = $timeframe
        and t.kind in ('signal', 'classifier')
        and t.latest_key is not null
        and t.status in ('registered', 'missing')
        and ($types is null or list_contains($types, t.strategy_type))
)
select config_key, kind, state, why, made_us
from judged
qualify
    row_number() over (
        partition by config_key, kind
        order by
            case state when 'done' then 0 when 'behind' then 2 when 'stale' then 3 else 4 end
            + case when state = 'done' and why is not null then 1 else 0 end,
            last_bar desc nulls last,
            made_us desc,
            trace_id
    ) = 1;
