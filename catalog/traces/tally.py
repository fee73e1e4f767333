"""The rows of a signal or classifier file: checked, put in bar order, counted and digested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import TraceFileError
from catalog.traces.content import RowsDigest
from catalog.traces.format import SIGNAL
from catalog.traces.rows import WHOLE, Rows, index_of, negative_bar, pieces
from catalog.traces.times import bar_time


def value_rows(parquet: Any, kind: str, first_index: int) -> Rows:
    """
    Summarise a signal or classifier file.

    Raises:
        TraceFileError: an index or a value is null, a value is not finite, a bar is negative or
            there twice, or a file too long to sort is not in bar order.
    """
    rows, digest = Rows(), RowsDigest(kind)
    count = _count_numbers if kind == SIGNAL else _count_states
    for idx, ts, val in pieces(parquet, ["idx", "ts", "val"]):
        index = index_of(idx)
        if val.null_count:
            raise TraceFileError("null val", f"val is null in {val.null_count:,} rows")
        if np.count_nonzero(index[1:] > index[:-1]) != len(index) - 1:
            order = _bar_order(index, is_long=parquet.metadata.num_rows > WHOLE)
            index, ts, val = index[order], ts.take(pa.array(order)), val.take(pa.array(order))
        first = int(index[0]) - first_index
        if first < 0:
            raise negative_bar(first + first_index, first_index)
        if rows.last_bar is not None and first <= rows.last_bar:
            raise _repeated(first) if first == rows.last_bar else _out_of_order()

        bars = index - first_index
        count(rows, digest, bars, val)
        if rows.first_bar is None:
            rows.first_bar, rows.first_ts = first, bar_time(ts, 0)
        rows.last_bar, rows.last_ts = int(bars[-1]), bar_time(ts, len(bars) - 1)
        rows.row_count += len(bars)
    rows.digest = digest.hexdigest()
    return rows


def _count_numbers(rows: Rows, digest: RowsDigest, bars: NDArray[np.int64], val: Any) -> None:
    values = val.to_numpy(zero_copy_only=False).astype(np.float64)
    if np.count_nonzero(np.isfinite(values)) != len(values):
        raise TraceFileError("val not finite", "val is NaN or infinite in some row")
    before = rows.last_value
    if isinstance(before, float) and rows.last_bar is not None:
        # The last value of the piece before holds until this piece begins.
        between = int(bars[0]) - rows.last_bar
        rows.bars_long += between * (before > 0)
        rows.bars_short += between * (before < 0)
    held, held_for = values[:-1], bars[1:] - bars[:-1]
    rows.bars_long += int(np.dot(held_for, held > 0))
    rows.bars_short += int(np.dot(held_for, held < 0))
    rows.is_flat = rows.is_flat and not np.count_nonzero(values)
    rows.last_value = float(values[-1]) + 0.0

    changes = _changes(values, is_first_new=values[0] != before)
    if changes is not None:
        bars, values = bars[changes], values[changes]
    rows.change_count += len(bars)
    digest.add_numbers(bars, values)


def _count_states(rows: Rows, digest: RowsDigest, bars: NDArray[np.int64], val: Any) -> None:
    # A dictionary that a file brings along may hold one text twice.
    text = val.dictionary_decode() if pa.types.is_dictionary(val.type) else val
    coded = text.dictionary_encode()
    codes, states = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    before, rows.last_value = rows.last_value, states[codes[-1]]

    changes = _changes(codes, is_first_new=states[codes[0]] != before)
    if changes is not None:
        bars, codes = bars[changes], codes[changes]
    rows.change_count += len(bars)
    digest.add_states(bars, codes.tolist(), states)


def _changes(values: NDArray[Any], *, is_first_new: bool) -> NDArray[np.bool_] | None:
    """Return where a value differs from the one before, or None if it does everywhere."""
    differs = values[1:] != values[:-1]
    if is_first_new and np.count_nonzero(differs) == len(differs):
        return None
    return np.concatenate(([is_first_new], differs))


def _bar_order(index: NDArray[np.int64], *, is_long: bool) -> NDArray[np.int64]:
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if repeated.size:
        raise _repeated(int(repeated[0]))
    if is_long:
        raise _out_of_order()
    return order


def _repeated(bar: int) -> TraceFileError:
    return TraceFileError("repeated bars", f"bar {bar} has more than one row")


def _out_of_order() -> TraceFileError:
    return TraceFileError(
        "rows out of order",
        f"its rows are not in bar order, and files beyond {WHOLE:,} rows are not sorted",
        hint="Sort it by idx, and register again",
    )
