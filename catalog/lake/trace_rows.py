"""Trace files as they are read for a lake: the columns that views read, or why they cannot be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import catalog.objects as objects
from catalog.objects import is_url

BATCH_ROWS = 200_000
"""Rows that are held in memory while their columns are made."""
BATCH_FILES = 4_000
_HELD = 16 << 20
"""Larger files are read from the disk column by column."""
COLUMNS = {
    "idx": "bigint", "ts": "varchar", "sym": "varchar", "val": "varchar", "strat": "varchar",
    "px": "double",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace whose rows are to be read: where it is, and how it was when it was registered."""

    trace_id: str
    path: str
    size: int
    mtime_ns: int
    digest: str
    rows: int
    layout: str | None
    pack_path: str | None
    number: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an entry could not be read, as a short phrase, and the file that it was to be in."""

    reason: str
    path: str


def batches(traces: Sequence[Trace]) -> Iterator[list[Trace]]:
    """Yield traces in pieces whose rows fit into memory."""
    batch: list[Trace] = []
    rows = 0
    for trace in traces:
        batch.append(trace)
        rows += trace.rows
        if rows >= BATCH_ROWS or len(batch) >= BATCH_FILES:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def read_files(traces: Sequence[Trace]) -> Iterator[pa.Table | Failure]:
    """Yield of each trace file the columns that views read, or why they cannot be read."""
    if any(is_url(trace.path) for trace in traces):
        yield from objects.many_at_once(_read_file, traces)
    else:
        yield from map(_read_file, traces)


def _read_file(trace: Trace) -> pa.Table | Failure:
    """Return the columns that views read of a file, and its path, or why they cannot be read."""
    try:
        # As many files are read, what pq.ParquetFile does beside that would be a third of it.
        reader = pq.ParquetReader()
        reader.open(_source(trace), pre_buffer=False, page_checksum_verification=True)
        paths = enumerate(reader.column_paths)
        leaves = [place for place, path in paths if len(path) == 1 and path[0] in COLUMNS]
        table = reader.read_all(leaves, use_threads=False).replace_schema_metadata(None)
        if table.num_rows != trace.rows:
            raise _ChangedError
    except (OSError, pa.ArrowException) as error:
        return Failure(reason_of(error, "its file"), trace.path)
    path = pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int32()), table.num_rows), pa.array([trace.path])
    )
    return table.append_column("filename", path)


def _source(trace: Trace) -> Any:
    """Return what a trace file is read from, if it is the one that was registered."""
    if is_url(trace.path):
        data = objects.read(trace.path)
        check_digest(trace, data)
        return pa.BufferReader(data)
    if trace.size > _HELD:
        check_unchanged(trace)
        return pa.OSFile(trace.path)
    with open(trace.path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if (status.st_size, status.st_mtime_ns) != (trace.size, trace.mtime_ns):
            raise _ChangedError
        return pa.BufferReader(file.readall())


class _ChangedError(OSError):
    """The file is not the one that was registered."""


def check_unchanged(trace: Trace) -> None:
    """
    Check that a file is the one that was registered, by its size and time.

    Raises:
        OSError: it is not, or it is gone.
    """
    status = os.stat(trace.path)
    if (status.st_size, status.st_mtime_ns) != (trace.size, trace.mtime_ns):
        raise _ChangedError


def check_digest(trace: Trace, data: bytes) -> None:
    """
    Check that bytes are those that were registered.

    Raises:
        OSError: they are not.
    """
    if hashlib.sha256(data).hexdigest() != trace.digest:
        raise _ChangedError


def reason_of(error: Exception, what: str) -> str:
    """Return a short phrase that says why something could not be read."""
    if isinstance(error, _ChangedError):
        return f"{what} has changed since it was registered"
    if isinstance(error, FileNotFoundError):
        return f"{what} is gone"
    return f"{what} cannot be read"
