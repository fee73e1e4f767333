"""The changes of a signal or classifier file: put in bar order, checked, counted and digested."""

from __future__ import annotations

from itertools import islice
from math import isfinite
from operator import lt
from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.errors import TraceFileError
from catalog.traces.content import RowsDigest
from catalog.traces.format import SIGNAL
from catalog.traces.rows import Rows, int64_column, negative_bar
from catalog.traces.table import WHOLE, Table

FEW: Final = 128
"""With so many rows a loop over them is faster than the calls of numpy are."""


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
        idx = int64_column(idx)
        count = (
            (_count_few if len(idx) <= FEW else _count_many) if kind == SIGNAL else _count_states
        )
        if not count(rows, digest, idx, val, first_index):
            idx, val = _in_bar_order(idx, val, is_long=table.is_long)
            count(rows, digest, idx, val, first_index)
        rows.row_count += len(idx)
    rows.digest = digest.hexdigest()
    return rows


def _count_few(rows: Rows, digest: RowsDigest, idx: Any, val: Any, first_index: int) -> bool:
    """Count the rows of a piece one by one; do nothing and return False if they do not ascend."""
    index, values = idx.to_pylist(), val.to_pylist()
    if not all(map(lt, index, islice(index, 1, None))):
        return False
    _check_first(rows, index[0], first_index)
    if not all(map(isfinite, values)):
        raise _not_finite()
    long, short = rows.bars_long, rows.bars_short
    bar = -1 if rows.last_bar is None else rows.last_bar
    value = rows.last_value if isinstance(rows.last_value, float) else None
    bars, changed = [], []
    for next_index, next_value in zip(index, values, strict=True):
        next_bar = next_index - first_index
        if value:
            if value > 0:
                long += next_bar - bar
            else:
                short += next_bar - bar
        if next_value != value:
            bars.append(next_bar)
            changed.append(next_value)
        bar, value = next_bar, next_value
    digest.add_numbers(bars, changed)
    rows.change_count += len(bars)
    rows.bars_long, rows.bars_short = long, short
    rows.is_flat = rows.is_flat and not any(values)
    _keep_ends(rows, index[0] - first_index, bar, float(values[-1]))
    return True


def _count_many(rows: Rows, digest: RowsDigest, idx: Any, val: Any, first_index: int) -> bool:
    """Count as `_count_few` does, all rows of a piece at once."""
    index, values = idx.to_numpy(), val.to_numpy().astype(np.float64)
    if not np.all(index[1:] > index[:-1]):
        return False
    _check_first(rows, int(index[0]), first_index)
    if not np.all(np.isfinite(values)):
        raise _not_finite()
    bars = index - first_index
    if isinstance(rows.last_value, float) and rows.last_bar is not None:
        # The last value of the piece before holds until this piece begins.
        between = int(bars[0]) - rows.last_bar
        rows.bars_long += between * (rows.last_value > 0)
        rows.bars_short += between * (rows.last_value < 0)
    held, steps = values[:-1], bars[1:] - bars[:-1]
    rows.bars_long += int(steps[held > 0].sum())
    rows.bars_short += int(steps[held < 0].sum())
    rows.is_flat = rows.is_flat and not np.any(values)
    changes = np.concatenate(([values[0] != rows.last_value], values[1:] != held))
    digest.add_arrays(bars[changes], values[changes])
    rows.change_count += int(np.count_nonzero(changes))
    _keep_ends(rows, int(bars[0]), int(bars[-1]), float(values[-1]))
    return True


def _count_states(rows: Rows, digest: RowsDigest, idx: Any, val: Any, first_index: int) -> bool:
    """Count the rows of a piece of a classifier; do nothing and return False as above."""
    index, states = idx.to_pylist(), val.to_pylist()
    if not all(map(lt, index, islice(index, 1, None))):
        return False
    _check_first(rows, index[0], first_index)
    before = rows.last_value
    bars, changed = [], []
    for at, state in zip(index, states, strict=True):
        if state != before:
            bars.append(at - first_index)
            changed.append(state)
            before = state
    digest.add_states(bars, changed)
    rows.change_count += len(bars)
    _keep_ends(rows, index[0] - first_index, index[-1] - first_index, before)
    return True


def _check_first(rows: Rows, index: int, first_index: int) -> None:
    """Check that a piece begins at a bar, and behind the piece before."""
    if index < first_index:
        raise negative_bar(index, first_index)
    if rows.last_bar is not None and index - first_index <= rows.last_bar:
        raise _repeated() if index - first_index == rows.last_bar else _out_of_order()


def _keep_ends(rows: Rows, first_bar: int, last_bar: int, last_value: float | str | None) -> None:
    if rows.first_bar is None:
        rows.first_bar = first_bar
    rows.last_bar = last_bar
    # The zero that is added turns -0.0 into 0.0.
    rows.last_value = last_value + 0.0 if isinstance(last_value, float) else last_value


def _in_bar_order(idx: Any, val: Any, *, is_long: bool) -> tuple[Any, Any]:
    index = idx.to_numpy()
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    if np.any(ordered[1:] == ordered[:-1]):
        raise _repeated()
    if is_long:
        raise _out_of_order()
    return pa.array(ordered), val.take(pa.array(order))


def _not_finite() -> TraceFileError:
    return TraceFileError("val not finite", "val is NaN or infinite in some row")


def _repeated() -> TraceFileError:
    return TraceFileError("repeated bars", "it has more than one row for a bar")


def _out_of_order() -> TraceFileError:
    return TraceFileError(
        "rows out of order",
        f"its rows are not in bar order, and files beyond {WHOLE:,} rows are not sorted",
        hint="Sort it by idx, and register again",
    )
