-- The registered traces whose file is gone.
select path, trace_id, kind, run_id, strategy_id, strategy_hash, strategy_type, symbol, timeframe
from trace_files
where status = 'missing';
