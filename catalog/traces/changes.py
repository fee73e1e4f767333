"""The changes of a signal or classifier: put in bar order, checked, counted and digested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import TraceFileError
from catalog.traces.content import RowsDigest
from catalog.traces.format import SIGNAL
from catalog.traces.rows import WHOLE, Rows, index_of, negative_bar, pieces


def read_changes(table: Table, kind: str, first_index: int) -> Rows:
    """
    Read the changes of a signal or classifier file whose bar 0 has the index `first_index`.

    Raises:
        TraceFileError: an index or a value is null, a value is not finite, a bar is negative or
            there twice, or a file too long to sort is not in bar order.
    """
    rows, digest = Rows(), RowsDigest(kind)
    for idx, val in table.pieces("idx", "val"):
        if val.null_count:
            raise TraceFileError("null val", f"val is null in {val.null_count:,} rows")
        index = index_of(idx)
        if np.count_nonzero(index[1:] > index[:-1]) != len(index) - 1:
            order = _bar_order(index, is_long=table.is_long)
            index, val = index[order], val.take(pa.array(order))
        first = int(index[0]) - first_index
        if first < 0:
            raise negative_bar(first + first_index, first_index)
        if rows.last_bar is not None and first <= rows.last_bar:
            raise _repeated() if first == rows.last_bar else _out_of_order()
        count_changes(rows, digest, index - first_index, val)
    rows.digest = digest.hexdigest()
    return rows

def changes_of(kind: str, bars: NDArray[np.int64], val: Any) -> tuple[NDArray[np.int64], str]:
    """
    Return at which positions a value differs from the one before, and the digest of those rows.

    Args:
        bars: 0-based, ascending.
        val: float64 for a signal, text for a classifier; neither null nor NaN.
    """
    rows, digest = Rows(), RowsDigest(kind)
    kept = np.zeros(0, np.int64)
    if len(bars):
        values = val.to_numpy() if kind == SIGNAL else val.dictionary_encode().indices.to_numpy()
        kept = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
        count = _count_numbers if kind == SIGNAL else _count_states
        count(rows, digest, bars, bars[1:] - bars[:-1], val)
    return kept, digest.hexdigest()


def _count_numbers(
    rows: Rows, digest: RowsDigest, bars: NDArray[np.int64], steps: NDArray[np.int64], val: Any
) -> None:
    values = val.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f" and np.count_nonzero(np.isfinite(values)) != len(values):
        raise TraceFileError("val not finite", "val is NaN or infinite in some row")
    values = values.astype(np.float64)
    before = rows.last_value
    if isinstance(before, float) and rows.last_bar is not None:
        # The last value of the piece before holds until this piece begins.
        between = int(bars[0]) - rows.last_bar
        rows.bars_long += between * (before > 0)
        rows.bars_short += between * (before < 0)
    held = values[:-1]
    rows.bars_long += int(np.dot(steps, held > 0))
    rows.bars_short += int(np.dot(steps, held < 0))
    if rows.is_flat and np.count_nonzero(values):
        rows.is_flat = False
    rows.last_value = float(values[-1]) + 0.0

    kept = _changed(values, is_first_new=values[0] != before)
    if kept is not None:
        bars, values = bars[kept], values[kept]
    rows.change_count += len(bars)
    digest.add_numbers(bars, values)


def _count_states(
    rows: Rows, digest: RowsDigest, bars: NDArray[np.int64], steps: NDArray[np.int64], val: Any
) -> None:
    # A dictionary that a file brings along may hold one text twice.
    text = val.dictionary_decode() if pa.types.is_dictionary(val.type) else val
    coded = text.dictionary_encode()
    codes, states = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    before, rows.last_value = rows.last_value, states[codes[-1]]

    kept = _changed(codes, is_first_new=states[codes[0]] != before)
    if kept is not None:
        bars, codes = bars[kept], codes[kept]
    rows.change_count += len(bars)
    digest.add_states(bars, codes.tolist(), states)


def _changed(values: NDArray[Any], *, is_first_new: bool) -> NDArray[np.bool_] | None:
    """Return where a value differs from the one before, or None if it does everywhere."""
    differs = values[1:] != values[:-1]
    if is_first_new and np.count_nonzero(differs) == len(differs):
        return None
    return np.concatenate(([is_first_new], differs))


def _bar_order(index: NDArray[np.int64], *, is_long: bool) -> NDArray[np.int64]:
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    if np.count_nonzero(ordered[1:] == ordered[:-1]):
        raise _repeated()
    if is_long:
        raise _out_of_order()
    return order


def _repeated() -> TraceFileError:
    return TraceFileError("repeated bars", "it has more than one row for a bar")


def _out_of_order() -> TraceFileError:
    return TraceFileError(
        "rows out of order",
        f"its rows are not in bar order, and files beyond {WHOLE:,} rows are not sorted",
        hint="Sort it by idx, and register again",
    )
