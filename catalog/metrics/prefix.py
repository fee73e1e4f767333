"""Prefix sums that lose nothing: a float64 and what it could not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Prefix:
    """
    The sums of the first 0, 1, … n values, each kept as two float64 that add up to it.

    The difference of two sums in plain float64 is as inexact as the greater of them: of a single
    small value late in a long series little would be left. What each addition rounds off is known
    exactly (Knuth, TAOCP 2, 4.2.2, theorem B) and summed beside it.
    """

    __slots__ = ("_high", "_low")

    def __init__(self, values: Floats) -> None:
        high = np.empty(len(values) + 1)
        high[0] = 0.0
        np.cumsum(values, out=high[1:])
        before, after = high[:-1], high[1:]
        added = after - before
        lost = (before - (after - added)) + (values - added)
        low = np.empty_like(high)
        low[0] = 0.0
        np.cumsum(lost, out=low[1:])
        self._high, self._low = high, low

    @property
    def rounded(self) -> Floats:
        """The sums, (n + 1,), as exact as a float64 is."""
        return self._high + self._low

    def between(self, start: Any, stop: Any) -> Any:
        """Return the sums of the values from `start` up to `stop`, which is left out."""
        high = self._high.take(stop)
        high -= self._high.take(start)
        low = self._low.take(stop)
        low -= self._low.take(start)
        high += low
        return high


def grouped_sums(values: Floats, offsets: NDArray[np.int64]) -> Floats:
    """
    Return the sum of each group of values.

    Args:
        offsets: (groups + 1,) where each group begins and the last one ends; none is empty.
    """
    if len(offsets) == 1:
        return np.zeros(0)
    return np.add.reduceat(values, offsets[:-1])
