"""All that a trace file holds, as it holds it: to pack it, to compare it, to write it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ObjectError, TraceFileError
from catalog.objects import is_url, read
from catalog.places import put
from catalog.traces.finalize import write_whole
from catalog.traces.target import Target


@dataclass(frozen=True, slots=True)
class TraceTable:
    """What a trace file holds: its rows, and its footer keys, which are not in the schema."""

    table: pa.Table
    keys: dict[bytes, bytes]


def read_trace_table(path: Path | str) -> TraceTable:
    """
    Read a whole trace file or object, page checksums included.

    Raises:
        TraceFileError: it cannot be read.
        ObjectStoreError: a store cannot be reached, or says no to more than this object.
    """
    try:
        source = pa.BufferReader(read(path)) if isinstance(path, str) and is_url(path) else path
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            keys = dict(file.metadata.metadata or {})
            table = file.read(use_threads=False).replace_schema_metadata(None)
    except (OSError, pa.ArrowException, ObjectError) as error:
        raise TraceFileError("unreadable", f"{path}: {error}") from error
    return TraceTable(table, keys)


def write_trace_table(path: Target, read: TraceTable) -> None:
    """
    Write a trace file or object as it was: rows, schema and footer keys. It appears whole.

    Raises:
        CatalogError: it cannot be written.
    """
    if isinstance(path, str):
        put(path, lambda name: put_trace_table(name, read))
    else:
        write_whole(path, lambda name: put_trace_table(name, read))


def put_trace_table(name: str, read: TraceTable) -> None:
    """Write a trace file as `write_trace_table` does, under the name that it is to have."""
    with pq.ParquetWriter(
        name, read.table.schema, compression="zstd", write_page_checksum=True,
        store_schema=False,
    ) as writer:  # fmt: skip
        if read.table.num_rows:
            writer.write_table(read.table)
        writer.add_key_value_metadata(read.keys)


def same_content(left: TraceTable, right: TraceTable) -> bool:
    """Say whether two trace files hold the same: rows, schema and footer keys."""
    return (
        left.table.schema.equals(right.table.schema, check_metadata=False)
        and left.table.equals(right.table)
        and left.keys == right.keys
    )
