"""The changes of a signal or classifier: checked, counted and digested, a piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from catalog.errors import TraceFileError
from catalog.traces.content import RowsDigest


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


def count_numbers(
    rows: Rows, digest: RowsDigest, bars: Sequence[int], values: Sequence[float]
) -> None:
    """
    Count the rows of a piece of a signal, one by one.

    Args:
        bars: 0-based, ascending, behind those of the piece before; at least one.

    Raises:
        TraceFileError: a value is not finite.
    """
    if not all(map(isfinite, values)):
        raise _not_finite()
    long, short = rows.bars_long, rows.bars_short
    bar = -1 if rows.last_bar is None else rows.last_bar
    value = rows.last_value if isinstance(rows.last_value, float) else None
    changed_at, changed_to = [], []
    for next_bar, next_value in zip(bars, values, strict=True):
        if value:
            if value > 0:
                long += next_bar - bar
            else:
                short += next_bar - bar
        if next_value != value:
            changed_at.append(next_bar)
            changed_to.append(next_value)
        bar, value = next_bar, next_value
    digest.add_numbers(changed_at, changed_to)
    rows.change_count += len(changed_at)
    rows.bars_long, rows.bars_short = long, short
    rows.is_flat = rows.is_flat and not any(values)
    # The zero that is added turns -0.0 into 0.0.
    _keep_ends(rows, bars[0], bars[-1], values[-1] + 0.0)


def count_arrays(
    rows: Rows, digest: RowsDigest, bars: NDArray[np.int64], values: NDArray[np.float64]
) -> None:
    """Count what `count_numbers` counts, faster where there are many rows."""
    if not np.all(np.isfinite(values)):
        raise _not_finite()
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
    _keep_ends(rows, int(bars[0]), int(bars[-1]), float(values[-1]) + 0.0)


def count_states(
    rows: Rows, digest: RowsDigest, bars: Sequence[int], states: Sequence[str]
) -> None:
    """Count the rows of a piece of a classifier; see `count_numbers` for its bars."""
    before = rows.last_value
    changed_at, changed_to = [], []
    for bar, state in zip(bars, states, strict=True):
        if state != before:
            changed_at.append(bar)
            changed_to.append(state)
            before = state
    digest.add_states(changed_at, changed_to)
    rows.change_count += len(changed_at)
    _keep_ends(rows, bars[0], bars[-1], before)


def _keep_ends(rows: Rows, first_bar: int, last_bar: int, last_value: float | str | None) -> None:
    if rows.first_bar is None:
        rows.first_bar = first_bar
    rows.last_bar, rows.last_value = last_bar, last_value


def _not_finite() -> TraceFileError:
    return TraceFileError("val not finite", "val is NaN or infinite in some row")
