-- The latest traces on a symbol and timeframe that share bars with a range, and by how many bars their
-- numbers are ahead.
--
-- Bars of the same number are the same, unless ends of the ranges that have the same time have other
-- numbers. Where later times do not go with later bars the numbers cannot be compared.
select t.trace_id, t.strategy_key, t.ahead
from (
    select
        *,
        case
            when epoch_us(last_ts) = $last_us then last_bar - $last_bar
            when epoch_us(first_ts) = $first_us then first_bar - $first_bar
            else 0
        end as ahead
    from trace_file
    where
        kind = $kind
        and status = 'registered'
        and is_latest
        and symbol is not distinct from $symbol
        and timeframe is not distinct from $timeframe
        and first_bar is not null
        and last_bar is not null
) as t
where
    t.first_bar - t.ahead <= $last_bar
    and t.last_bar - t.ahead >= $first_bar
    and coalesce(
        sign(epoch_us(t.last_ts) - $last_us) = sign(t.last_bar - t.ahead - $last_bar), true
    )
    and coalesce(
        sign(epoch_us(t.first_ts) - $first_us) = sign(t.first_bar - t.ahead - $first_bar), true
    );
