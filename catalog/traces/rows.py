"""What the rows of a trace file come to, and over which bars they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from catalog.errors import TraceFileError
from catalog.traces.table import Table
from catalog.traces.times import bar_time

_INT64: Final = pa.int64().id


@dataclass(slots=True)
class Rows:
    """What the rows of a file come to, as far as they have been read. Events have no values."""

    row_count: int = 0
    change_count: int = 0
    first_bar: int | None = None
    last_bar: int | None = None
    last_value: float | str | None = None
    bars_long: int = 0
    bars_short: int = 0
    is_flat: bool = True
    digest: str | None = None


@dataclass(slots=True)
class Extent:
    """The least and the greatest `idx` of a file with their times, in whatever order it is."""

    row_count: int = 0
    first: int | None = None
    last: int | None = None
    first_ts: int | None = None
    last_ts: int | None = None


def read_extent(table: Table) -> Extent:
    """
    Read from where to where the rows of a file go.

    Raises:
        TraceFileError: an index is null.
    """
    extent = Extent()
    for idx, ts in table.pieces("idx", "ts"):
        index = int64_column(idx).to_numpy()
        earliest, latest = int(index.argmin()), int(index.argmax())
        if extent.first is None or index[earliest] < extent.first:
            extent.first, extent.first_ts = int(index[earliest]), bar_time(ts, earliest)
        if extent.last is None or index[latest] > extent.last:
            extent.last, extent.last_ts = int(index[latest]), bar_time(ts, latest)
        extent.row_count += len(index)
    return extent


def event_rows(extent: Extent, first_index: int) -> Rows:
    """
    Return what is known of the rows of an order, fill or position file.

    Raises:
        TraceFileError: a bar is negative.
    """
    if extent.first is None or extent.last is None:
        return Rows()
    if extent.first < first_index:
        raise negative_bar(extent.first, first_index)
    return Rows(
        row_count=extent.row_count,
        first_bar=extent.first - first_index,
        last_bar=extent.last - first_index,
    )


def int64_column(idx: Any) -> Any:
    """
    Return an `idx` column as int64.

    Raises:
        TraceFileError: an index is null, or beyond int64.
    """
    if idx.null_count:
        raise TraceFileError("null idx", f"idx is null in {idx.null_count:,} rows")
    if idx.type.id == _INT64:
        return idx
    try:
        return idx.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise TraceFileError("bar out of range", f"idx: {error}") from error


def negative_bar(index: int, first_index: int) -> TraceFileError:
    """Return the error for an `idx` that lies before the first bar."""
    return TraceFileError(
        "negative bar", f"idx is {index}, but its generation counts bars from {first_index}"
    )
