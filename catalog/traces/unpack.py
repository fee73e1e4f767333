"""Traces out of packs, as their files held them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import TraceFileError
from catalog.traces.pack import COMPANION_GROUP, companion, full_keys
from catalog.traces.packed_rows import ROWS, unpack_rows
from catalog.traces.trace_table import TraceTable, write_trace_table


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
            for batch in about.iter_batches(batch_size=COMPANION_GROUP):
                ids = batch.column("trace_id").to_pylist()
                for place, trace_id in enumerate(ids):
                    if wanted is None or trace_id in wanted:
                        (entry,) = batch.slice(place, 1).to_pylist()
                        schema = pa.ipc.read_schema(pa.BufferReader(entry["schema"]))
                        own = source.of(entry["trace_number"])
                        table = unpack_rows(own, entry["rest"], schema)
                        yield entry, TraceTable(table, full_keys(dict(entry["footer_keys"])))
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
