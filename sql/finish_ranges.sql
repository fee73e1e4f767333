-- Give every trace of the touched runs the range that it was evaluated over.
--
-- A footer says it; else the run's metadata, unless a row lies beyond what that says; else it
-- ends with the latest bar that any trace of the run has a row at.
with seen as (
    select
        run_id,
        symbol,
        timeframe,
        min(first_change_bar) as earliest_bar,
        max(last_change_bar) as latest_bar,
        min(first_change_bar) filter (first_change_ts is not null) as first_timed_bar,
        max(last_change_bar) filter (last_change_ts is not null) as last_timed_bar,
        arg_min(first_change_ts, first_change_bar) as earliest_ts,
        arg_max(last_change_ts, last_change_bar) as latest_ts
    from trace_file
    semi join touched_run using (run_id)
    where kind in ('signal', 'classifier')
    group by run_id, symbol, timeframe
),
sourced as (
    select
        t.trace_id,
        case
            when t.declared_last_bar is not null and t.generation = 'G5' then 'footer'
            when t.declared_last_bar is null or t.declared_last_bar < s.latest_bar then 'run'
            else 'metadata'
        end as new_source,
        coalesce(t.declared_first_bar, s.earliest_bar, t.first_change_bar) as new_first_bar,
        case
            when new_source = 'run' then coalesce(s.latest_bar, t.last_change_bar)
            else t.declared_last_bar
        end as new_last_bar,
        t.first_ts,
        t.last_ts,
        s.* exclude (run_id, symbol, timeframe)
    from trace_file as t
    semi join touched_run using (run_id)
    left join seen as s
        on
            s.run_id = t.run_id
            and s.symbol is not distinct from t.symbol
            and s.timeframe is not distinct from t.timeframe
),
ranges as (
    select
        trace_id,
        new_source,
        new_first_bar,
        new_last_bar,
        case
            when new_source = 'footer' then first_ts
            when first_timed_bar = new_first_bar then earliest_ts
        end as new_first_ts,
        case
            when new_source = 'footer' then last_ts
            when last_timed_bar = new_last_bar then latest_ts
        end as new_last_ts
    from sourced
)
update trace_file as t
set
    first_bar = r.new_first_bar,
    last_bar = r.new_last_bar,
    range_source = r.new_source,
    first_ts = r.new_first_ts,
    last_ts = r.new_last_ts,
    -- The value of the last row holds from its bar to the end of the range.
    bars_long = t.bars_long + case
        when t.last_val > 0
        then r.new_last_bar - coalesce(t.last_bar, t.last_change_bar - 1)
        else 0
    end,
    bars_short = t.bars_short + case
        when t.last_val < 0
        then r.new_last_bar - coalesce(t.last_bar, t.last_change_bar - 1)
        else 0
    end
from ranges as r
where
    t.trace_id = r.trace_id
    and (
        t.first_bar is distinct from r.new_first_bar
        or t.last_bar is distinct from r.new_last_bar
        or t.range_source is distinct from r.new_source
        or t.first_ts is distinct from r.new_first_ts
        or t.last_ts is distinct from r.new_last_ts
    );
