"""The changes of a signal or classifier: checked, counted and digested, a piece at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from math import isfinite
from operator import lt
from typing import Any, Final

import numpy as np

from catalog.errors import TraceFileError
from catalog.traces.content import RowsDigest
from catalog.traces.format import SIGNAL

FEW: Final = 128
"""With so many rows a loop over them is faster than the calls of numpy are."""


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
    labels: dict[str, set[str]] = field(default_factory=dict)


def count_changes(
    rows: Rows, digest: RowsDigest, idx: Any, val: Any, *, kind: str, first_index: int
) -> bool:
    """
    Count the rows of a piece, or do nothing and return False if they are not in bar order.

    Args:
        idx: int64 without nulls, at least one row; `first_index` is bar 0.
        val: a signal's numbers or a classifier's text, without nulls.

    Raises:
        TraceFileError: a bar is negative, or not behind the piece before; or a value of a
            signal is not finite.
    """
    if kind != SIGNAL:
        return _count_states(rows, digest, idx, val, first_index)
    if len(idx) <= FEW:
        return _count_few(rows, digest, idx, val, first_index)
    return _count_many(rows, digest, idx, val, first_index)


def _count_few(rows: Rows, digest: RowsDigest, idx: Any, val: Any, first_index: int) -> bool:
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
    """Count as `_count_few` does, but all rows at once."""
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
    if index < first_index:
        raise negative_bar(index, first_index)
    if rows.last_bar is not None and index - first_index <= rows.last_bar:
        raise repeated_bars() if index - first_index == rows.last_bar else out_of_order()


def _keep_ends(rows: Rows, first_bar: int, last_bar: int, last_value: float | str | None) -> None:
    if rows.first_bar is None:
        rows.first_bar = first_bar
    rows.last_bar = last_bar
    # The zero that is added turns -0.0 into 0.0.
    rows.last_value = last_value + 0.0 if isinstance(last_value, float) else last_value


def _not_finite() -> TraceFileError:
    return TraceFileError("val not finite", "val is NaN or infinite in some row")


def negative_bar(index: int, first_index: int) -> TraceFileError:
    return TraceFileError(
        "negative bar", f"idx is {index}, but its generation counts bars from {first_index}"
    )


def repeated_bars() -> TraceFileError:
    return TraceFileError("repeated bars", "it has more than one row for a bar")


def out_of_order() -> TraceFileError:
    return TraceFileError(
        "rows out of order",
        "its rows are not in bar order, and it is too long to be sorted",
        hint="Sort it by idx, and register again",
    )
