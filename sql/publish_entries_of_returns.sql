-- The traces whose session returns are to be in the lake, and what these depend on.
select
    trace_id as key,
    md5_number_lower(
        concat_ws(
            chr(31),
            inputs, coalesce(strategy_hash, ''), coalesce(symbol, ''), coalesce(timeframe, '')
        )
    ) as digest,
    symbol,
    timeframe,
    sessions as rows,
    printf('%020d', return_number) as place
from returned
where fill = $fill;
