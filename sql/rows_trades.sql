-- The trades of the signal traces that have prices. $cost is paid one way, a fraction of equity.
-- What tells traces apart is carried along, so that a filter on it comes before the bars are made.
with anchors as (
    select
        f.trace_id,
        f.symbol,
        f.timeframe,
        f.first_bar,
        f.last_bar,
        f.first_ts,
        f.last_ts,
        p.bar_count,
        p.prepended_bars,
        unnest([f.first_bar, f.first_change_bar, f.last_change_bar, f.last_bar]) as bar,
        unnest(
            case
                when f.knows_bar_times
                then [f.first_ts, f.first_change_ts, f.last_change_ts, f.last_ts]
            end
        ) as ts
    from trace_files as f
    join price_series as p on p.symbol = f.symbol and p.timeframe = f.timeframe
    where f.kind = 'signal' and f.status = 'registered' and f.first_bar is not null
),
found as (
    select
        a.trace_id,
        a.symbol,
        a.timeframe,
        a.first_bar,
        a.last_bar,
        a.first_ts,
        a.last_ts,
        a.bar_count,
        a.prepended_bars,
        count(a.ts) as times,
        count(b.bar_index) as times_found,
        min(b.bar_index - a.bar) as lowest,
        max(b.bar_index - a.bar) as highest,
        max(b.bar_index) as last_found
    from anchors as a
    left join bars as b on b.symbol = a.symbol and b.timeframe = a.timeframe and b.ts = a.ts
    group by all
),
places as (
    -- The bars of a trace and those of its prices are `shift` apart. Where that is NULL the trace
    -- lacks bars, or has others, and each of its rows is found by its time.
    select
        trace_id,
        case when times = 0 then 0 when lowest = highest then lowest end as shift,
        coalesce(last_bar + shift, last_found) as last_place
    from found
    where
        times_found = times
        and (times > 0 or prepended_bars = 0)
        and case
            when shift is null then first_ts is not null and last_ts is not null
            else first_bar + shift >= 0 and last_bar + shift < bar_count
        end
),
changes as (
    select
        s.trace_id,
        s.run_id,
        s.strategy_hash,
        s.strategy_id,
        s.strategy_type,
        s.symbol,
        s.timeframe,
        s.bar_index,
        s.val as position,
        p.last_place,
        coalesce(s.bar_index + p.shift, b.bar_index) as place,
        lag(s.val, 1, 0.0) over (of_trace order by s.bar_index) as previous
    from signals as s
    -- An inner join would have the planner look up the places of all traces beforehand.
    left join places as p on p.trace_id = s.trace_id
    left join bars as b
        on
            b.symbol = s.symbol
            and b.timeframe = s.timeframe
            and b.ts = case when p.shift is null then s.ts end
    window of_trace as (
        partition by
            s.trace_id,
            s.run_id,
            s.strategy_hash,
            s.strategy_id,
            s.strategy_type,
            s.symbol,
            s.timeframe
    )
    -- All rows have a place. DuckDB takes quadratic time for a count with a filter.
    qualify position <> previous and count(place) over (of_trace) = count(*) over (of_trace)
),
stretches as (
    select
        *,
        coalesce(lead(place) over later, last_place) as until,
        lead(bar_index) over later as next_bar,
        lead(position) over later as next_position,
        sum(case when sign(position) <> sign(previous) then 1 else 0 end) over later as trade
    from changes
    -- A position that is taken at the last bar earns nothing any more.
    where place < last_place
    window later as (
        partition by
            trace_id,
            run_id,
            strategy_hash,
            strategy_id,
            strategy_type,
            symbol,
            timeframe
        order by place
    )
),
steps as (
    select
        *,
        unnest(range(place + 1, until + 1)) as bar,
        abs(position - previous) as changed,
        -- Of a flip, closing the position before is paid by the trade before.
        case when sign(previous) = -sign(position) then abs(previous) else 0 end as closed_before,
        case when sign(next_position) <> sign(position) then abs(position) else 0 end as closed
    from stretches
    where position <> 0
),
priced as (
    select
        s.*,
        1 + s.position * (b.close / a.close - 1) as growth,
        1 + s.position * (least(b.low, b.close) / a.close - 1) as at_low,
        1 + s.position * (greatest(b.high, b.close) / a.close - 1) as at_high,
        case
            when s.bar = s.place + 1
            then (growth - $cost * s.changed) / (1 - $cost * s.closed_before)
            else growth
        end * case when s.bar = s.until then 1 - $cost * s.closed else 1 end as net_growth
    from steps as s
    join bars as b on b.symbol = s.symbol and b.timeframe = s.timeframe and b.bar_index = s.bar
    join bars as a on a.symbol = s.symbol and a.timeframe = s.timeframe and a.bar_index = s.bar - 1
),
paths as (
    select
        *,
        coalesce(
            product(growth) over (
                partition by
                    trace_id,
                    run_id,
                    strategy_hash,
                    strategy_id,
                    strategy_type,
                    symbol,
                    timeframe,
                    trade
                order by bar
                rows between unbounded preceding and 1 preceding
            ),
            1
        ) as before
    from priced
),
trades as (
    select
        trace_id,
        run_id,
        strategy_hash,
        strategy_id,
        strategy_type,
        symbol,
        timeframe,
        trade,
        min(position) > 0 as is_long,
        avg(abs(position)) as size,
        min(bar_index) as entry_bar,
        -- The last stretch of an open trade is followed by none.
        case when count(next_bar) = count(*) then max(next_bar) end as exit_bar,
        min(bar) - 1 as entry_place,
        max(bar) as exit_place,
        count(*) as bars_held,
        -- Without a price, or after the loss of all equity, nothing can be said.
        count(growth) = count(*) and min(growth) > 0 and min(net_growth) > 0 as is_known,
        product(growth) - 1 as gross,
        product(net_growth) - 1 as net,
        least(min(before * least(at_low, at_high)) - 1, 0) as mae,
        greatest(max(before * greatest(at_low, at_high)) - 1, 0) as mfe
    from paths
    group by trace_id, run_id, strategy_hash, strategy_id, strategy_type, symbol, timeframe, trade
)
select
    t.trace_id,
    t.run_id,
    t.strategy_hash,
    t.strategy_id,
    t.strategy_type,
    t.symbol,
    t.timeframe,
    case when t.is_long then 'long' else 'short' end as side,
    t.size,
    t.entry_bar,
    a.ts as entry_ts,
    a.ts_local as entry_local,
    a.close as entry_price,
    a.known_at as entry_known_at,
    t.exit_bar,
    case when t.exit_bar is not null then b.ts end as exit_ts,
    case when t.exit_bar is not null then b.ts_local end as exit_local,
    case when t.exit_bar is not null then b.close end as exit_price,
    t.bars_held,
    -- What rounding leaves of nothing is neither profit nor loss.
    case when t.is_known then case when abs(t.gross) > 1e-12 then t.gross else 0 end end as gross,
    case when t.is_known then t.gross - t.net end as cost,
    case when t.is_known then case when abs(t.net) > 1e-12 then t.net else 0 end end as net,
    case when t.is_known then t.mae end as mae,
    case when t.is_known then t.mfe end as mfe,
    a.session_date <> b.session_date as is_overnight,
    t.exit_bar is null as is_open
from trades as t
join bars as a
    on a.symbol = t.symbol and a.timeframe = t.timeframe and a.bar_index = t.entry_place
join bars as b on b.symbol = t.symbol and b.timeframe = t.timeframe and b.bar_index = t.exit_place;
