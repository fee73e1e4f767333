-- Traces of one configuration over one range whose content differs, pair by pair, with the cause.
--
-- What has every key of a trace and its content alike is one version, however often it was written.
-- In time, each version is compared with the one before it: among those of the same bars, of the
-- same bars and times, and of the same keys altogether. So the pairs are no more than three times
-- the versions, and no two contents of equal keys stay unmentioned.
with known as (
    select
        s.config_key,
        t.*,
        coalesce(t.created_at, r.created_at, to_timestamp(t.mtime_ns / 1000000000)) as made_at
    from trace_file as t
    join strategy as s using (strategy_key)
    join run as r using (run_id)
    where
        t.status = 'registered'
        and t.kind in ('signal', 'classifier')
        and s.config_key is not null
        and t.symbol is not null
        and t.timeframe is not null
        and t.first_bar is not null
        and t.last_bar is not null
    window bars as (
        partition by s.config_key, t.kind, t.symbol, t.timeframe, t.first_bar, t.last_bar
    )
    qualify min(t.content_digest) over bars <> max(t.content_digest) over bars
),
version as (
    select
        config_key,
        kind,
        symbol,
        timeframe,
        first_bar,
        last_bar,
        first_ts,
        last_ts,
        data_digest,
        code_digest,
        content_digest,
        -- Where nothing says it, a range ends with the last row of its run.
        range_source = 'run' as is_guessed,
        min(made_at) as made_at,
        arg_min(trace_id, (made_at, trace_id)) as trace_id,
        arg_min(run_id, (made_at, trace_id)) as run_id,
        arg_min(strategy_id, (made_at, trace_id)) as strategy_id,
        arg_min(strategy_hash, (made_at, trace_id)) as strategy_hash,
        arg_min(strategy_type, (made_at, trace_id)) as strategy_type,
        $only is null or bool_or(trace_id in (select unnest($only::varchar[]))) as is_meant
    from known
    group by all
),
neighbours as (
    select
        trace_id,
        lag(trace_id) over (
            partition by config_key, kind, symbol, timeframe, first_bar, last_bar
            order by made_at, trace_id
        ) as of_bars,
        lag(trace_id) over (
            partition by config_key, kind, symbol, timeframe, first_bar, last_bar, first_ts, last_ts
            order by made_at, trace_id
        ) as of_times,
        lag(trace_id) over (
            partition by
                config_key, kind, symbol, timeframe, first_bar, last_bar, first_ts, last_ts,
                data_digest, code_digest
            order by made_at, trace_id
        ) as of_keys
    from version
),
pairs as (
    select trace_id as later, of_bars as earlier from neighbours
    union
    select trace_id as later, of_times as earlier from neighbours
    union
    select trace_id as later, of_keys as earlier from neighbours
),
told as (
    select
        b.strategy_id,
        b.strategy_hash,
        b.strategy_type,
        b.kind,
        b.symbol,
        b.timeframe,
        b.first_bar,
        b.last_bar,
        coalesce(b.first_ts, a.first_ts) as first_ts,
        coalesce(b.last_ts, a.last_ts) as last_ts,
        a.run_id as earlier_run,
        b.run_id as later_run,
        a.made_at as earlier_at,
        b.made_at as later_at,
        a.trace_id as earlier,
        b.trace_id as later,
        a.data_digest <> b.data_digest as other_data,
        a.code_digest <> b.code_digest as other_code,
        concat_ws(
            ', ',
            case when a.is_guessed or b.is_guessed then 'range' end,
            case when a.first_ts is null or b.first_ts is null then 'first bar time' end,
            case when a.last_ts is null or b.last_ts is null then 'last bar time' end,
            case when a.data_digest is null or b.data_digest is null then 'data' end,
            case when a.code_digest is null or b.code_digest is null then 'code' end
        ) as unknown
    from pairs as p
    join version as a on a.trace_id = p.earlier
    join version as b on b.trace_id = p.later
    where
        a.content_digest <> b.content_digest
        -- The same numbers of bars at other times are another range.
        and coalesce(a.first_ts = b.first_ts, true)
        and coalesce(a.last_ts = b.last_ts, true)
        and (a.is_meant or b.is_meant)
)
select
    case
        when other_data and other_code then 'data and code'
        when other_data then 'data'
        when other_code then 'code'
        when unknown <> '' then 'unknown'
        else 'none'
    end as cause,
    nullif(unknown, '') as unknown,
    * exclude (other_data, other_code, unknown)
from told
order by
    case cause when 'none' then 0 when 'unknown' then 1 else 2 end,
    cause,
    strategy_type,
    strategy_hash,
    symbol,
    timeframe,
    later_at,
    later;
