"""The changes of many traces, read from packs and files as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.errors import TraceFileError
from catalog.metrics.traces import Trace
from catalog.objects import is_url, many_at_once
from catalog.traces.lake_file import read_lake_rows
from catalog.traces.registered_columns import read_columns
from catalog.traces.times import bar_time

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(eq=False)
class Changes:
    """
    The rows of some traces, trace by trace and each in bar order.

    `bars` are 0-based, `times` microseconds since 1970 where they were asked for, else empty.
    Trace i has the rows offsets[i] to offsets[i + 1]; the file of a trace in `failed` could not be
    read, for the reason there, and has no rows.
    """

    traces: list[Trace]
    bars: Ints
    values: Floats
    offsets: Ints
    times: Ints
    failed: dict[str, str] = field(default_factory=dict)


def read_changes(traces: Sequence[Trace], *, with_times: bool = False) -> Changes:
    """
    Read the rows of traces; those of one pack are best asked for together, in its order.

    Args:
        with_times: read the time of every row too.
    """
    failed: dict[str, str] = {}
    read: dict[int, tuple[Any, ...]] = {}
    packed: dict[str, list[int]] = {}
    loose = []
    for place, trace in enumerate(traces):
        if trace.pack_path is not None:
            packed.setdefault(trace.pack_path, []).append(place)
        else:
            loose.append(place)

    def look(place: int) -> tuple[Any, ...] | TraceFileError:
        try:
            return _from_file(traces[place], with_times)
        except TraceFileError as error:
            return error

    are_objects = any(is_url(traces[place].path) for place in loose)
    found_loose = many_at_once(look, loose) if are_objects else map(look, loose)
    for place, rows in zip(loose, found_loose, strict=True):
        if isinstance(rows, TraceFileError):
            failed[traces[place].trace_id] = rows.reason
        else:
            read[place] = rows
    for path, places in packed.items():
        if traces[places[0]].trace_number is None:
            try:
                found = _from_lake(path, [traces[place].trace_id for place in places], with_times)
                read |= dict(zip(places, found, strict=True))
            except TraceFileError as error:
                failed |= {traces[place].trace_id: error.reason for place in places}
            continue
        try:
            numbers = np.array([traces[place].trace_number for place in places], np.int64)
            for place, rows in zip(places, _from_pack(path, numbers, with_times), strict=True):
                read[place] = rows
        except (OSError, pa.ArrowException) as error:
            reason = "its pack cannot be read"
            failed |= {traces[place].trace_id: f"{reason}: {error}" for place in places}
    nothing: tuple[Any, ...] = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    pieces = [read.get(place, nothing) for place in range(len(traces))]
    counts = [len(piece[0]) for piece in pieces]
    offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    base = np.repeat(np.array([trace.idx_base for trace in traces], np.int64), counts)
    bars, values, times = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return Changes(list(traces), bars - base, values, offsets, times, failed)


def _from_file(trace: Trace, with_times: bool) -> tuple[Any, ...]:
    names = ["idx", "val", "ts"] if with_times else ["idx", "val"]
    table = read_columns(trace.path, names, stamp=(trace.size, trace.mtime_ns))
    bars = _array(table, "idx").to_numpy(zero_copy_only=False).astype(np.int64)
    values = _array(table, "val").cast(pa.float64()).to_numpy(zero_copy_only=False)
    times = np.zeros(0, np.int64)
    if with_times:
        times = row_times(_array(table, "ts"))
    if np.any(bars[1:] < bars[:-1]):
        order = np.argsort(bars, kind="stable")
        bars, values = bars[order], values[order]
        times = times[order] if with_times else times
    return bars, values, times


def row_times(column: Any) -> Ints:
    """Return the times in a `ts` column in microseconds since 1970, 0 where there is none."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        instants = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        return np.asarray(instants.cast(pa.int64()).fill_null(0).to_numpy(), np.int64)
    return np.array([bar_time(column, row) or 0 for row in range(len(column))], np.int64)


def _array(table: pa.Table, name: str) -> Any:
    column = table[name].combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # Some versions of pyarrow return one.
        column = column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _from_pack(path: str, numbers: Ints, with_times: bool) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the traces with these numbers, which ascend."""
    columns = ["trace_number", "idx", "val"] + (["ts"] if with_times else [])
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        groups = [
            group
            for group in range(file.num_row_groups)
            if may_hold(file.metadata.row_group(group).column(0).statistics, numbers)
        ]
        table = file.read_row_groups(groups, columns, use_threads=False)
    own = table["trace_number"].combine_chunks().to_numpy()
    bars = table["idx"].combine_chunks().to_numpy()
    values = table["val"].combine_chunks().to_numpy()
    times = (
        table["ts"].combine_chunks().cast(pa.int64()).fill_null(0).to_numpy()
        if with_times
        else np.zeros(0, np.int64)
    )
    starts, stops = own.searchsorted(numbers), own.searchsorted(numbers, "right")
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        yield bars[start:stop], values[start:stop], times[start:stop]


def _from_lake(path: str, ids: Sequence[str], with_times: bool) -> list[tuple[Any, ...]]:
    """Return the rows of traces in a file of a lake, of each in bar order."""
    table = read_lake_rows(path, ids)
    places = pc.index_in(table["trace_id"], pa.array(ids, pa.string())).combine_chunks().to_numpy()
    bars = _array(table, "idx").to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.lexsort((bars, places))
    bars = bars[order]
    values = _array(table, "val").cast(pa.float64()).to_numpy(zero_copy_only=False)[order]
    times = row_times(_array(table, "ts"))[order] if with_times else np.zeros(0, np.int64)
    ends = np.searchsorted(places[order], np.arange(len(ids) + 1))
    return [
        (bars[start:stop], values[start:stop], times[start:stop])
        for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]


def may_hold(statistics: Any, numbers: Ints) -> bool:
    """Say whether a row group, by the statistics of its numbers, may hold one of ascending ones."""
    if statistics is None or not statistics.has_min_max:
        return True
    place = int(numbers.searchsorted(statistics.min))
    return place < len(numbers) and int(numbers[place]) <= statistics.max
