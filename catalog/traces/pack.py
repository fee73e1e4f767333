"""
Packs: the rows of many traces in one Parquet file, and a companion file for all else they say.

A pack is sorted by `trace_number`, which ascends with the strategy's hash, and within a trace by
bar. Its companion has a row per trace: its footer keys, its schema, and the rest of its columns.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.traces import format as layout
from catalog.traces.finalize import make_folder, writing_errors
from catalog.traces.packed_rows import ROWS, pack_rows
from catalog.traces.trace_table import TraceTable

ROW_GROUP = 100_000
COMPANION_GROUP = 10_000
_FOLLOWS = b"\0"
_COMPANION = pa.schema(
    {
        "trace_id": pa.string(),
        "trace_number": pa.int64(),
        "kind": pa.string(),
        "run_id": pa.string(),
        "run_path": pa.string(),
        "path": pa.string(),
        "footer_keys": pa.map_(pa.binary(), pa.binary()),
        "schema": pa.binary(),
        "rest": pa.binary(),
    }
)


@dataclass(frozen=True, slots=True)
class TraceToPack:
    """
    A trace as the catalog knows it.

    `path` is where its file lies, `run_path` the same below its run's directory.
    """

    trace_id: str
    strategy_hash: str | None
    kind: str
    run_id: str
    run_path: str
    path: str


def companion(pack: Path) -> Path:
    """Return the companion file of a pack; no pattern over Parquet files meets its name."""
    return pack.with_suffix(".companion")


def pack_digest(pack: Path) -> str:
    """
    Return 16 hex digits over all bytes of a pack and its companion, which its name ends in.

    So a pack proves itself, wherever it is, with no catalog to ask.

    Raises:
        OSError: one of them cannot be read.
    """
    both = sha256()
    for path in (pack, companion(pack)):
        with path.open("rb") as file:
            both.update(file_digest(file, "sha256").digest())
    return both.hexdigest()[:16]


class PackWriter:
    """
    A pack that is being written, with its companion, under temporary names.

    `complete` or `discard` ends its life; in between it holds a row group in memory.
    """

    def __init__(self, temporary: Path) -> None:
        self.path = temporary
        self.traces = 0
        self.rows = 0
        self._batches: list[pa.RecordBatch] = []
        self._waiting = 0
        self._entries: list[dict[str, Any]] = []
        make_folder(temporary.parent)
        with writing_errors(temporary):
            self._rows_writer = _open(temporary, ROWS)
            self._companion_writer = _open(companion(temporary), _COMPANION)

    def add(self, trace: TraceToPack, read: TraceTable, number: int) -> None:
        """
        Add a trace behind those that are there.

        Raises:
            TraceFileError: it cannot be kept in a pack.
            CatalogError: the pack cannot be written.
        """
        rows, rest = pack_rows(
            read.table,
            number=number,
            trace_id=trace.trace_id,
            strategy_hash=trace.strategy_hash,
        )
        self._entries.append(
            {
                "trace_id": trace.trace_id,
                "trace_number": number,
                "kind": trace.kind,
                "run_id": trace.run_id,
                "run_path": trace.run_path,
                "path": trace.path,
                "footer_keys": list(_lean(read.keys).items()),
                "schema": read.table.schema.serialize().to_pybytes(),
                "rest": rest,
            }
        )
        self._batches.append(rows)
        self._waiting += rows.num_rows
        self.rows += rows.num_rows
        self.traces += 1
        with writing_errors(self.path):
            if self._waiting >= ROW_GROUP:
                self._write_rows()
            if len(self._entries) >= COMPANION_GROUP:
                self._write_entries()

    def complete(self) -> None:
        """
        Write what is left, and the footers.

        Raises:
            CatalogError: the pack cannot be written.
        """
        with writing_errors(self.path):
            self._write_rows()
            self._write_entries()
            self._rows_writer.close()
            self._companion_writer.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        for writer in (self._rows_writer, self._companion_writer):
            with suppress(OSError, pa.ArrowException):
                writer.close()
        for path in (self.path, companion(self.path)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _write_rows(self) -> None:
        table = pa.Table.from_batches(self._batches, ROWS).combine_chunks()
        self._rows_writer.write_table(table, row_group_size=max(1, table.num_rows))
        self._batches, self._waiting = [], 0

    def _write_entries(self) -> None:
        self._companion_writer.write_table(pa.Table.from_pylist(self._entries, _COMPANION))
        self._entries = []


def _lean(keys: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Leave out the digest of the configuration, which no compression makes any smaller."""
    if keys.get(layout.CONFIG_DIGEST_KEY) == _config_digest(keys):
        return keys | {layout.CONFIG_DIGEST_KEY: _FOLLOWS}
    return keys


def full_keys(keys: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the footer keys of a trace from those in a companion file."""
    if keys.get(layout.CONFIG_DIGEST_KEY) == _FOLLOWS:
        return keys | {layout.CONFIG_DIGEST_KEY: _config_digest(keys)}
    return keys


def _config_digest(keys: dict[bytes, bytes]) -> bytes:
    return sha256(keys.get(layout.STRATEGY_CONFIG_KEY, b"")).hexdigest().encode()


def _open(path: Path, schema: pa.Schema) -> Any:
    # A dictionary suits times and prices, which the traces of a sweep share; bars are ascending.
    encoded = {"idx": "DELTA_BINARY_PACKED"} if schema is ROWS else None
    return pq.ParquetWriter(
        str(path),
        schema,
        compression="zstd",
        compression_level=9,
        use_dictionary=[name for name in schema.names if name != "idx"],
        column_encoding=encoded,
        write_page_checksum=True,
        write_statistics=[name for name in schema.names if name not in ("rest", "footer_keys")],
        store_schema=schema is _COMPANION,
    )
