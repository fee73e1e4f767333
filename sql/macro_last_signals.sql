-- The last signal of every strategy, from what the catalog knows: no trace file is opened.
create or replace macro last_signals() as table
select
    trace_id,
    run_id,
    strategy_hash,
    strategy_id,
    strategy_type,
    symbol,
    timeframe,
    is_latest,
    last_val as val,
    last_change_bar as bar_index,
    last_change_ts as ts,
    last_bar,
    last_ts
from trace_files
where kind = 'signal' and status = 'registered';
