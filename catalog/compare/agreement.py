"""At how many bars traces hold what one of them holds: counted by changes, never bar by bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Steps:
    """
    What some traces hold: the rows of all, trace by trace and each in bar order.

    Trace i has the rows offsets[i] to offsets[i + 1], and was evaluated from bar first[i] up to and
    with last[i]. A value is in force from its bar on, and 0 before the first.
    """

    bars: Ints
    values: Floats
    offsets: Ints
    first: Ints
    last: Ints


@dataclass(frozen=True, eq=False)
class Agreement:
    """
    For each of some traces: the `bars` that it shares with the one, at how many they are `equal`,
    at how many both are on the `same_side` (long or short), and at how many `either` is in the
    market.
    """

    bars: Ints
    equal: Ints
    same_side: Ints
    either: Ints


def count_agreement(one: Steps, others: Steps) -> Agreement:
    """
    Count at how many bars each of some traces agrees with one.

    Args:
        one: a single trace.
    """
    own = _Reference(one)
    start = np.maximum(others.first, one.first[0])
    stop = np.maximum(np.minimum(others.last, one.last[0]) + 1, start)
    counts = np.diff(others.offsets)
    owner = np.repeat(np.arange(len(counts)), counts)
    # Each row holds until the next one of its trace, the last one to the end.
    until = np.roll(others.bars, -1)
    ends = others.offsets[1:][counts > 0] - 1
    until[ends] = stop[counts > 0]
    begins = stop.copy()
    begins[counts > 0] = others.bars[others.offsets[:-1][counts > 0]]
    # Before its first row a trace holds 0.
    owner = np.concatenate((owner, np.arange(len(counts))))
    lower = np.concatenate((others.bars, start))
    upper = np.concatenate((until, begins))
    value = np.concatenate((others.values, np.zeros(len(counts))))
    lower = np.maximum(lower, start[owner])
    upper = np.minimum(upper, stop[owner])
    keep = lower < upper
    owner, lower, upper, value = owner[keep], lower[keep], upper[keep], _comparable(value[keep])
    side = np.sign(value)

    def summed(bars: Ints) -> Ints:
        return np.bincount(owner, bars, len(counts)).astype(np.int64)

    same_side = own.bars_at(side, lower, upper, sides=True)
    same_side[side == 0] = 0
    in_market = own.bars_in_market(lower, upper)
    either = np.where(side != 0, upper - lower, in_market)
    return Agreement(
        stop - start,
        summed(own.bars_at(value, lower, upper)),
        summed(same_side),
        summed(either),
    )


class _Reference:
    """How many bars of a trace, up to any bar, have any value."""

    def __init__(self, one: Steps) -> None:
        # Before its first row it holds 0, from before any bar that can be asked for.
        before = min(int(one.first[0]), int(one.bars.min(initial=one.first[0]))) - 1
        self._starts = np.concatenate(([before], one.bars))
        self._values = _comparable(np.concatenate(([0.0], one.values)))
        self._lengths = np.diff(self._starts, append=np.iinfo(np.int64).max // 2)

    def bars_at(self, values: Floats, lower: Ints, upper: Ints, *, sides: bool = False) -> Ints:
        """Return at how many of the bars of each stretch the reference has the stretch's value."""
        own = np.sign(self._values) if sides else self._values
        found = np.zeros(len(values), np.int64)
        rows_of = _rows_by_value(own)
        for value, rows in _rows_by_value(values).items():
            if value in rows_of:
                found[rows] = self._between(rows_of[value], lower[rows], upper[rows])
        return found

    def bars_in_market(self, lower: Ints, upper: Ints) -> Ints:
        """Return at how many of the bars of each stretch the reference is not 0."""
        return self._between(np.flatnonzero(self._values), lower, upper)

    def _between(self, rows: Ints, lower: Ints, upper: Ints) -> Ints:
        """Return how many bars of some of its rows lie from `lower` up to `upper`."""
        if not len(rows):
            return np.zeros(len(lower), np.int64)
        starts, lengths = self._starts[rows], self._lengths[rows]
        # The last row may be endless, and is never summed.
        before = np.concatenate(([0], np.cumsum(lengths[:-1])))
        sums = []
        for place in (lower, upper):
            row = starts.searchsorted(place, "right") - 1
            within = np.minimum(place - starts[row], lengths[row])
            sums.append(np.where(row < 0, 0, before[row] + within))
        return np.asarray(sums[1] - sums[0], np.int64)


def _rows_by_value(values: Floats) -> dict[float, Ints]:
    """Return where each value stands, in order."""
    order = np.argsort(values, kind="stable")
    kinds, first = np.unique(values[order], return_index=True)
    parts = np.split(order, first[1:]) if len(kinds) else []
    return dict(zip(kinds.tolist(), parts, strict=True))


def _comparable(values: Floats) -> Floats:
    """Return values of which NaN equals itself, and -0.0 is 0.0."""
    return np.where(np.isnan(values), np.finfo(float).max, values) + 0.0
