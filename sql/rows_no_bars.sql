-- What the bars are where there is no price series.
select
    null::varchar as symbol,
    null::varchar as timeframe,
    null::bigint as bar_index,
    null::timestamptz as ts,
    null::timestamptz as known_at,
    null::timestamp as ts_local,
    null::date as session_date,
    null::varchar as session,
    null::double as open,
    null::double as high,
    null::double as low,
    null::double as close,
    null::double as volume
where false;
