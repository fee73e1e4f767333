-- Say which trace of a configuration, symbol, timeframe and kind is the latest.
with ranked as (
    select
        trace_id,
        row_number() over (
            partition by latest_key, symbol, timeframe, kind
            order by
                coalesce(last_ts, last_change_ts) desc nulls last,
                last_bar - first_bar desc nulls last,
                mtime_ns desc,
                trace_id
        ) = 1 as is_latest
    from trace_file as t
    where
        status = 'registered'
        and latest_key is not null
        and exists (
            from touched as u
            where
                u.latest_key = t.latest_key
                and u.symbol is not distinct from t.symbol
                and u.timeframe is not distinct from t.timeframe
                and u.kind = t.kind
        )
)
update trace_file as t
set is_latest = r.is_latest
from ranked as r
where t.trace_id = r.trace_id and t.is_latest is distinct from r.is_latest;
