-- What tells whether two catalogs know the same traces.
select trace_id, strategy_key, file_digest
from internal.trace_file;
