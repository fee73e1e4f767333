"""Read the rows of a trace file: every column that a view over it will read, once."""

from __future__ import annotations

from itertools import islice
from operator import lt
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import TraceFileError
from catalog.traces import format as layout
from catalog.traces.changes import Rows, count_arrays, count_numbers, count_states
from catalog.traces.columns import is_text
from catalog.traces.content import RowsDigest
from catalog.traces.events import strategy_ids
from catalog.traces.table import Table
from catalog.traces.times import bar_time, check_times, times_out_of_order

FEW: Final = 128
"""With so many rows Python's lists are faster than the calls of Arrow and numpy are."""

_LABELS: Final = ("sym", "strat", "tf")
_LARGEST: Final = 2**63 - 1
_INT64: Final = pa.int64().id


def read_values(table: Table, kind: str, generation: str) -> Rows:
    """
    Read a signal or classifier file.

    Raises:
        TraceFileError: an index or a value is null, a value is not finite, a bar is negative or
            there twice, or a file too long to sort is not in bar order.
    """
    labels = [name for name in _LABELS if is_text(table.types.get(name))]
    # These tell the catalog nothing. But px is read by the views, which it would break were it
    # damaged; and the pages of our own files carry checksums, so that all of them are checked.
    ours = ("metadata", "strategy_hash") if generation == layout.OURS else ()
    unused = table.flat(("px", *ours))
    read = _read_few if table.row_count <= FEW else _read_many
    return read(table, kind, generation, labels, unused)


def read_events(table: Table, generation: str) -> Rows:
    """
    Read an order, fill or position file, whose rows may be in any order.

    Raises:
        TraceFileError: an index is null, or a bar is negative.
    """
    rows = Rows(labels={"sym": set(), "strategy_id": set()})
    first_index: int | None = None
    for batch in table.batches():
        if not len(batch):
            continue
        index, ts = numpy_of(int64_index(batch["idx"])), batch["ts"]
        earliest, latest = int(index.argmin()), int(index.argmax())
        if first_index is None:
            first_index = _first_index(generation, bar_time(ts, earliest))
        first, last = int(index[earliest]), int(index[latest])
        _check_range(first, last, first_index)
        if rows.first_bar is None or first - first_index < rows.first_bar:
            rows.first_bar, rows.first_ts = first - first_index, bar_time(ts, earliest)
        if rows.last_bar is None or last - first_index > rows.last_bar:
            rows.last_bar, rows.last_ts = last - first_index, bar_time(ts, latest)
        rows.row_count += len(index)
        rows.labels["sym"].update(batch["sym"].unique().drop_null().to_pylist())
        rows.labels["strategy_id"].update(strategy_ids(batch))
    return rows


def int64_index(idx: Any) -> Any:
    """
    Return an `idx` column as int64.

    Raises:
        TraceFileError: an index is null, or beyond int64.
    """
    if idx.null_count:
        raise _null("idx")
    if idx.type.id == _INT64:
        return idx
    try:
        return idx.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise TraceFileError("bar out of range", f"idx: {error}") from error


def numpy_of(array: Any) -> Any:
    """
    Return an Arrow array of numbers without nulls as one of numpy, which shares its memory.

    Arrow's own `to_numpy` loads pandas where that is installed: half a second and 30 MB.
    """
    return np.from_dlpack(array)


def _read_few(
    table: Table, kind: str, generation: str, labels: list[str], unused: list[str]
) -> Rows:
    index, ts = table.column("idx").to_pylist(), table.column("ts")
    values = table.column("val").to_pylist()
    texts = {name: set(table.column(name).to_pylist()) - {None} for name in labels}
    lengths = {len(table.column(name)) for name in unused} | {len(index), len(ts), len(values)}
    rows, digest = Rows(len(index), labels=texts), RowsDigest(kind)
    if len(lengths) > 1:
        raise TraceFileError("damaged file", "its columns are not equally long")
    if None in index:
        raise _null("idx")
    if None in values:
        raise _null("val")
    first, last = 0, len(index) - 1
    if not all(map(lt, index, islice(index, 1, None))):
        order = sorted(range(len(index)), key=index.__getitem__)
        index, values = [index[row] for row in order], [values[row] for row in order]
        first, last = order[0], order[-1]
        if not all(map(lt, index, islice(index, 1, None))):
            raise _repeated_bars()
        ts, first, last = ts.take(pa.array(order)), 0, len(index) - 1
    if index:
        check_times(ts)
        rows.first_ts, rows.last_ts = bar_time(ts, first), bar_time(ts, last)
        first_index = _first_index(generation, rows.first_ts)
        _check_range(index[0], index[-1], first_index)
        count = count_numbers if kind == layout.SIGNAL else count_states
        count(rows, digest, [at - first_index for at in index], values)
    rows.digest = digest.hexdigest()
    return rows


def _read_many(
    table: Table, kind: str, generation: str, labels: list[str], unused: list[str]
) -> Rows:
    rows, digest = Rows(labels={name: set() for name in labels}), RowsDigest(kind)
    first_index: int | None = None
    for piece in table.pieces(["idx", "ts", "val", *labels, *unused]):
        idx, ts, val = int64_index(piece["idx"]), piece["ts"], piece["val"]
        if val.null_count:
            raise _null("val")
        index = numpy_of(idx)
        if not np.all(index[1:] > index[:-1]):
            order = pc.array_sort_indices(idx)
            index = index[numpy_of(order)]
            _check_order(index, is_long=table.is_long)
            ts, val = ts.take(order), val.take(order)
        check_times(ts)
        if first_index is None:
            rows.first_ts = bar_time(ts, 0)
            first_index = _first_index(generation, rows.first_ts)
        bars = index - first_index
        _check_range(int(index[0]), int(index[-1]), first_index)
        if rows.last_bar is not None and bars[0] <= rows.last_bar:
            raise _repeated_bars() if bars[0] == rows.last_bar else _out_of_order()
        earlier, rows.last_ts = rows.last_ts, bar_time(ts, len(index) - 1)
        if earlier is not None and (bar_time(ts, 0) or earlier) < earlier:
            raise times_out_of_order()
        if kind == layout.SIGNAL:
            count_arrays(rows, digest, bars, numpy_of(val).astype(np.float64))
        else:
            count_states(rows, digest, bars.tolist(), val.to_pylist())
        rows.row_count += len(index)
        for name in labels:
            rows.labels[name].update(piece[name].unique().drop_null().to_pylist())
    rows.digest = digest.hexdigest()
    return rows


def _check_order(index: Any, *, is_long: bool) -> None:
    if np.any(index[1:] == index[:-1]):
        raise _repeated_bars()
    if is_long:
        raise _out_of_order()


def _first_index(generation: str, first_ts: int | None) -> int:
    return layout.first_index(generation, knows_bar_times=first_ts is not None)


def _check_range(first: int, last: int, first_index: int) -> None:
    if first < first_index:
        raise TraceFileError(
            "negative bar", f"idx is {first}, but its generation counts bars from {first_index}"
        )
    if last > _LARGEST:
        raise TraceFileError("bar out of range", f"idx is {last}")


def _null(name: str) -> TraceFileError:
    return TraceFileError(f"null {name}", f"{name} is null in some row")


def _repeated_bars() -> TraceFileError:
    return TraceFileError("repeated bars", "it has more than one row for a bar")


def _out_of_order() -> TraceFileError:
    return TraceFileError(
        "rows out of order",
        "its rows are not in bar order, and it is too long to be sorted",
        hint="Sort it by idx, and register again",
    )
