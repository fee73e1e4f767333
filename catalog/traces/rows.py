"""The rows of a trace file, piece by piece, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import TraceFileError
from catalog.traces.times import bar_time

WHOLE: Final = 1 << 20
"""Files of at most so many rows come as one piece, so that they need not be in bar order."""

_PIECE: Final = 1 << 16


@dataclass(slots=True)
class Rows:
    """What the rows of a file come to, as far as they have been read. Events have no values."""

    row_count: int = 0
    change_count: int = 0
    first_bar: int | None = None
    last_bar: int | None = None
    first_ts: int | None = None
    last_ts: int | None = None
    last_value: float | str | None = None
    bars_long: int = 0
    bars_short: int = 0
    is_flat: bool = True
    digest: str | None = None


def pieces(parquet: Any, columns: list[str]) -> Iterator[list[Any]]:
    """Yield some columns of a `ParquetFile` as lists of arrays: one unless the file is long."""
    if parquet.metadata.num_rows > WHOLE:
        batches = parquet.iter_batches(batch_size=_PIECE, columns=columns, use_threads=False)
    else:
        batches = list(parquet.iter_batches(batch_size=WHOLE, columns=columns, use_threads=False))
        if len(batches) > 1:
            batches = pa.Table.from_batches(batches).combine_chunks().to_batches()
    for batch in batches:
        if len(batch):
            yield batch.columns


def index_of(idx: Any) -> NDArray[np.int64]:
    """
    Return an `idx` column as int64.

    Raises:
        TraceFileError: an index is null.
    """
    if idx.null_count:
        raise TraceFileError("null idx", f"idx is null in {idx.null_count:,} rows")
    index: NDArray[np.int64] = idx.to_numpy(zero_copy_only=False)
    # Beyond int64 an unsigned index turns negative, and is refused as such.
    return index if index.dtype == np.int64 else index.astype(np.int64)


def negative_bar(index: int, first_index: int) -> TraceFileError:
    """Return the error for an `idx` that lies before the first bar."""
    return TraceFileError(
        "negative bar", f"idx is {index}, but its generation counts bars from {first_index}"
    )


def event_rows(parquet: Any, first_index: int) -> Rows:
    """
    Summarise an order, fill or position file, whose rows may come in any order.

    Raises:
        TraceFileError: an index is null, or lies before the first bar.
    """
    rows = Rows()
    for idx, ts in pieces(parquet, ["idx", "ts"]):
        index = index_of(idx)
        earliest, latest = int(index.argmin()), int(index.argmax())
        first, last = int(index[earliest]) - first_index, int(index[latest]) - first_index
        if first < 0:
            raise negative_bar(first + first_index, first_index)
        if rows.first_bar is None or first < rows.first_bar:
            rows.first_bar, rows.first_ts = first, bar_time(ts, earliest)
        if rows.last_bar is None or last > rows.last_bar:
            rows.last_bar, rows.last_ts = last, bar_time(ts, latest)
        rows.row_count += len(index)
    return rows
