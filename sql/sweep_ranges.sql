-- The ranges that the traces of a symbol and timeframe were evaluated over, each once;
-- once for each of some runs, for these noted more of what they saw.
select distinct
    first_bar,
    last_bar,
    epoch_us(first_ts) as first_us,
    epoch_us(last_ts) as last_us,
    data_digest,
    case when list_contains(cast($runs as varchar[]), run_id) then run_id end as run_id
from trace_file
where
    symbol = $symbol
    and timeframe = $timeframe
    and kind in ('signal', 'classifier')
    and latest_key is not null
    and status in ('registered', 'missing')
    and ($types is null or list_contains($types, strategy_type));
