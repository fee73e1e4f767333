-- What tells whether the catalog of a bundle knows the traces that another one knows.
select trace_id, strategy_key, file_digest
from internal.trace_file;
