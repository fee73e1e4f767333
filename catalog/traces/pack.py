"""
Packs: the rows of many traces in one Parquet file, and a companion file for all else they say.

A pack is sorted by `trace_number`, which ascends with the strategy's hash, and within a trace by
bar. Its companion has a row per trace: its footer keys, its schema, and the rest of its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import TraceFileError
from catalog.traces import format as layout
from catalog.traces.finalize import make_folder, write_whole, writing_errors
from catalog.traces.packed_rows import ROWS, pack_rows, unpack_rows

ROW_GROUP = 100_000
_COMPANION_GROUP = 10_000
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


@dataclass(frozen=True, slots=True)
class TraceTable:
    """What a trace file holds: its rows, and its footer keys, which are not in the schema."""

    table: pa.Table
    keys: dict[bytes, bytes]


def companion(pack: Path) -> Path:
    """Return the companion file of a pack; no pattern over Parquet files meets its name."""
    return pack.with_suffix(".companion")


def read_trace_table(path: Path | str) -> TraceTable:
    """
    Read a whole trace file, page checksums included.

    Raises:
        TraceFileError: it cannot be read.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            keys = dict(file.metadata.metadata or {})
            table = file.read(use_threads=False).replace_schema_metadata(None)
    except (OSError, pa.ArrowException) as error:
        raise TraceFileError("unreadable", f"{path}: {error}") from error
    return TraceTable(table, keys)


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
            if len(self._entries) >= _COMPANION_GROUP:
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


def _full(keys: dict[bytes, bytes]) -> dict[bytes, bytes]:
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


def read_packed(
    pack: Path, trace_ids: Sequence[str] | None = None
) -> Iterator[tuple[dict[str, Any], TraceTable]]:
    """
    Yield traces of a pack as their files held them, each with its companion's row.

    Args:
        trace_ids: those wanted, or None for all.

    Raises:
        TraceFileError: the pack or its companion cannot be read, or they do not fit.
    """
    wanted = None if trace_ids is None else set(trace_ids)
    try:
        with (
            pq.ParquetFile(companion(pack), page_checksum_verification=True) as about,
            pq.ParquetFile(pack, page_checksum_verification=True) as rows,
        ):
            source = _Rows(rows)
            for batch in about.iter_batches(batch_size=_COMPANION_GROUP):
                ids = batch.column("trace_id").to_pylist()
                for place, trace_id in enumerate(ids):
                    if wanted is None or trace_id in wanted:
                        (entry,) = batch.slice(place, 1).to_pylist()
                        schema = pa.ipc.read_schema(pa.BufferReader(entry["schema"]))
                        own = source.of(entry["trace_number"])
                        table = unpack_rows(own, entry["rest"], schema)
                        yield entry, TraceTable(table, _full(dict(entry["footer_keys"])))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise TraceFileError("unreadable pack", f"{pack}: {error}") from error


class _Rows:
    """Finds the rows of traces in a pack, one row group at a time, in ascending order."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._groups = [_ends(file.metadata.row_group(i)) for i in range(file.num_row_groups)]
        self._held: tuple[int, pa.Table] | None = None

    def of(self, number: int) -> pa.Table:
        parts = []
        for place, (first, last) in enumerate(self._groups):
            if first <= number <= last:
                table = self._group(place)
                numbers = table["trace_number"].combine_chunks().to_numpy()
                start, end = (int(numbers.searchsorted(number, side)) for side in ("left", "right"))
                parts.append(table.slice(start, end - start))
        return pa.concat_tables(parts).combine_chunks() if parts else ROWS.empty_table()

    def _group(self, place: int) -> pa.Table:
        if self._held is None or self._held[0] != place:
            self._held = place, self._file.read_row_group(place).combine_chunks()
        return self._held[1]


def _ends(group: Any) -> tuple[int, int]:
    statistics = group.column(0).statistics
    if statistics is None or not statistics.has_min_max:
        return 0, -1
    return statistics.min, statistics.max


def write_trace_table(path: Path, read: TraceTable) -> None:
    """
    Write a trace file as it was: rows, schema and footer keys. It appears whole.

    Raises:
        CatalogError: it cannot be written.
    """

    def write(name: str) -> None:
        with pq.ParquetWriter(
            name, read.table.schema, compression="zstd", write_page_checksum=True,
            store_schema=False,
        ) as writer:  # fmt: skip
            if read.table.num_rows:
                writer.write_table(read.table)
            writer.add_key_value_metadata(read.keys)

    write_whole(path, write)


def restore(traces: Iterable[tuple[str, str]], folder: Path) -> dict[str, Path]:
    """
    Write traces out of packs into a folder, and return their files by trace_id.

    Args:
        traces: the path of the pack and the trace_id of each.

    Raises:
        TraceFileError: a pack cannot be read.
        CatalogError: the folder cannot be written.
    """
    by_pack: dict[str, list[str]] = {}
    for pack, trace_id in traces:
        by_pack.setdefault(pack, []).append(trace_id)
    written: dict[str, Path] = {}
    for pack, trace_ids in by_pack.items():
        for entry, read in read_packed(Path(pack), trace_ids):
            path = folder / f"{entry['trace_id']}.parquet"
            write_trace_table(path, read)
            written[entry["trace_id"]] = path
    return written


def same_content(left: TraceTable, right: TraceTable) -> bool:
    """Say whether two trace files hold the same: rows, schema and footer keys."""
    return (
        left.table.schema.equals(right.table.schema, check_metadata=False)
        and left.table.equals(right.table)
        and left.keys == right.keys
    )


def count_rows(pack: Path) -> int:
    """Return how many rows a pack has."""
    return int(pq.read_metadata(pack).num_rows)
