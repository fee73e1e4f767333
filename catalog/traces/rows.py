"""Read the rows of a trace file: every column that a view over it will read, once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.errors import TraceFileError
from catalog.traces import format as layout
from catalog.traces.changes import (
    FEW,
    Rows,
    count_changes,
    negative_bar,
    out_of_order,
    repeated_bars,
)
from catalog.traces.columns import is_text
from catalog.traces.content import RowsDigest
from catalog.traces.table import Table
from catalog.traces.times import bar_time

_INT64: Final = pa.int64().id
_LABELS: Final = ("sym", "strat", "tf")


def read_values(table: Table, kind: str, generation: str) -> Rows:
    """
    Read a signal or classifier file.

    Raises:
        TraceFileError: an index or a value is null, a value is not finite, a bar is negative or
            there twice, or a file too long to sort is not in bar order.
    """
    rows, digest = Rows(), RowsDigest(kind)
    first_index: int | None = None
    labels = [name for name in _LABELS if is_text(table.types.get(name))]
    rows.labels = {name: set() for name in labels}
    # px tells the catalog nothing, but were it damaged, reading it would break the views.
    for piece in table.pieces(["idx", "ts", "val", *labels, *table.flat(("px",))]):
        idx, ts, val = piece["idx"], piece["ts"], piece["val"]
        if val.null_count:
            raise TraceFileError("null val", f"val is null in {val.null_count:,} rows")
        idx = int64_index(idx)
        if first_index is None:
            first_index = _first_index(generation, ts)
        if not count_changes(rows, digest, idx, val, kind=kind, first_index=first_index):
            idx, ts, val = _in_bar_order(idx, ts, val, is_long=table.is_long)
            count_changes(rows, digest, idx, val, kind=kind, first_index=first_index)
        if not rows.row_count:
            rows.first_ts = bar_time(ts, 0)
        rows.last_ts = bar_time(ts, len(idx) - 1)
        rows.row_count += len(idx)
        for name in labels:
            rows.labels[name] |= _texts(piece[name])
    rows.digest = digest.hexdigest()
    return rows


def read_events(table: Table, generation: str) -> Rows:
    """
    Read an order, fill or position file, whose rows may be in any order.

    Raises:
        TraceFileError: an index is null, or a bar is negative.
    """
    rows = Rows(labels={"sym": set()})
    first_index: int | None = None
    for batch in table.batches():
        if not len(batch):
            continue
        index, ts = int64_index(batch["idx"]).to_numpy(), batch["ts"]
        if first_index is None:
            first_index = _first_index(generation, ts)
        earliest, latest = int(index.argmin()), int(index.argmax())
        first, last = int(index[earliest]) - first_index, int(index[latest]) - first_index
        if first < 0:
            raise negative_bar(first + first_index, first_index)
        if rows.first_bar is None or first < rows.first_bar:
            rows.first_bar, rows.first_ts = first, bar_time(ts, earliest)
        if rows.last_bar is None or last > rows.last_bar:
            rows.last_bar, rows.last_ts = last, bar_time(ts, latest)
        rows.row_count += len(index)
        rows.labels["sym"] |= _texts(batch["sym"])
    return rows


def int64_index(idx: Any) -> Any:
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


def _first_index(generation: str, ts: Any) -> int:
    knows_bar_times = generation != layout.G2 or bar_time(ts, 0) is not None
    return layout.first_index(generation, knows_bar_times=knows_bar_times)


def _in_bar_order(idx: Any, ts: Any, val: Any, *, is_long: bool) -> tuple[Any, Any, Any]:
    index = idx.to_numpy()
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    if np.any(ordered[1:] == ordered[:-1]):
        raise repeated_bars()
    if is_long:
        raise out_of_order()
    taken = pa.array(order)
    return pa.array(ordered), ts.take(taken), val.take(taken)


def _texts(column: Any) -> set[str]:
    """Return the different texts in a column."""
    texts = column.to_pylist() if len(column) <= FEW else column.unique().to_pylist()
    return {text for text in texts if text is not None}
