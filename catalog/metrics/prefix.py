"""Prefix sums that lose nothing: a float64 and what it could not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Prefix:
    """
    The sums of the first 0, 1, … n values of some columns, each kept as two float64 that add up.

    The difference of two sums in plain float64 is as inexact as the greater of them: of a single
    small value late in a long series little would be left. What each addition rounds off is known
    exactly (Knuth, TAOCP 2, 4.2.2, theorem B) and summed beside it.
    """

    __slots__ = ("_parts",)

    def __init__(self, *columns: Floats) -> None:
        # Both halves of all sums up to a place lie side by side: they are looked up together.
        self._parts = np.zeros((len(columns[0]) + 1, 2 * len(columns)))
        for place, values in enumerate(columns):
            high = np.cumsum(values)
            before = np.concatenate(([0.0], high[:-1]))
            added = high - before
            lost = (before - (high - added)) + (values - added)
            self._parts[1:, 2 * place] = high
            np.cumsum(lost, out=self._parts[1:, 2 * place + 1])

    @property
    def rounded(self) -> Floats:
        """The sums of the first column, (n + 1,), as exact as a float64 is."""
        return self._parts[:, 0] + self._parts[:, 1]

    def between(self, start: Any, stop: Any) -> list[Floats]:
        """Return the sums of each column from `start` up to `stop`, which is left out."""
        parts = self._parts.take(stop, axis=0)
        parts -= self._parts.take(start, axis=0)
        return [parts[:, one] + parts[:, one + 1] for one in range(0, parts.shape[1], 2)]

    def within(self, offsets: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """
        Return the sums of the first column within groups: before each value, and of each group.

        Args:
            offsets: (groups + 1,) where each group begins and the last one ends.
        """
        base = self._parts[offsets]
        counts = np.diff(offsets)
        before = self._parts[:-1, 0] - np.repeat(base[:-1, 0], counts)
        before += self._parts[:-1, 1] - np.repeat(base[:-1, 1], counts)
        total = base[1:] - base[:-1]
        return before, total[:, 0] + total[:, 1]


def grouped_sums(values: NDArray[Any], offsets: NDArray[np.int64]) -> Floats:
    """
    Return the sum of each group of values.

    Args:
        offsets: (groups + 1,) where each group begins and the last one ends; none is empty.
    """
    if len(offsets) == 1:
        return np.zeros(0)
    return np.add.reduceat(values, offsets[:-1])
