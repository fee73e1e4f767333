"""
The equity of a constant position over any stretch of bars, without looking at each of its bars.

For one position value the growth from any bar to any other is the difference of two prefix sums,
and (highest, lowest, deepest fall) of the path between them composes from two looks into a
disjoint sparse table. Positions that are held for too few bars to be worth a table are computed
bar by bar.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.prefix import Prefix

Floats = NDArray[np.float64]
Bars = NDArray[np.int64]

MOST_TABLE_BYTES = 1 << 30
# A table costs about as much as looking at so many times all bars.
_TABLE_WORTH = 20
_PREFIX_WORTH = 1
_MOST_CELLS = 1 << 20
_FEW = 8


class Paths:
    """
    Answers what constant positions come to on one series of bar returns.

    Args:
        returns: (bars,) simple return of each bar; 0 where it is not known.

    Tables stay for the next question; threads may share one object.
    """

    def __init__(self, returns: Floats) -> None:
        self.returns = returns
        self._prefixes: dict[float, Prefix] = {}
        self._tables: dict[float, _Extremes] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def growth(self, position: Floats, start: Bars, end: Bars) -> Floats:
        """
        Return the log of what equity is multiplied by, holding `position` from bar to bar.

        All arguments are of one length. Ruin (a factor that is not positive) counts as -inf.
        """
        log = np.zeros(len(position))
        rest = []
        for value, rows in _by_position(position):
            prefix = self._prefix(value, int((end[rows] - start[rows] + 1).sum()))
            if prefix is None:
                rest.append(rows)
            else:
                log[rows] = prefix.between(start[rows], end[rows] + 1)
        if rest:
            rows = np.concatenate(rest)
            for part, path in self._bar_by_bar(position[rows], start[rows], end[rows]):
                log[rows[part]] = path[:, -1]
        return log

    def extremes(self, position: Floats, start: Bars, end: Bars) -> tuple[Floats, Floats, Floats]:
        """
        Return the highest and lowest log equity after any bar, and the deepest fall, of each row.

        Equity is relative to the one before the first bar; a fall is from one bar to a later one.
        """
        high, low, fall = (np.zeros(len(position)) for _ in range(3))
        rest = []
        for value, rows in _by_position(position):
            starts, ends = start[rows], end[rows]
            table = self._table(value, int((ends - starts + 1).sum()))
            if table is None:
                rest.append(rows)
            else:
                high[rows], low[rows], fall[rows] = table.of(starts, ends)
        if rest:
            rows = np.concatenate(rest)
            for part, path in self._bar_by_bar(position[rows], start[rows], end[rows]):
                high[rows[part]] = path.max(axis=1)
                low[rows[part]] = path.min(axis=1)
                fall[rows[part]] = (np.maximum.accumulate(path, axis=1) - path).max(axis=1)
        return high, low, fall

    def path(self, position: float, start: int, end: int) -> Floats:
        """Return the log equity after each bar of one holding, relative to before it."""
        return np.cumsum(_log_growth(position, self.returns[start : end + 1]))

    def _prefix(self, value: float, bars: int) -> Prefix | None:
        found = self._prefixes.get(value)
        if found is None and bars >= _PREFIX_WORTH * len(self.returns):
            found = Prefix(_log_growth(value, self.returns))
            with self._lock:
                if len(self._prefixes) < 64:
                    self._prefixes[value] = found
        return found

    def _table(self, value: float, bars: int) -> _Extremes | None:
        found = self._tables.get(value)
        if found is not None or bars < _TABLE_WORTH * len(self.returns):
            return found
        with self._lock:
            found = self._tables.get(value)
            size = _Extremes.size(len(self.returns))
            if found is None and self._bytes + size <= MOST_TABLE_BYTES:
                found = _Extremes(Prefix(_log_growth(value, self.returns)).rounded)
                self._tables[value] = found
                self._bytes += size
        return found

    def _bar_by_bar(
        self, position: Floats, start: Bars, end: Bars
    ) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """Yield rows of about the same length with their paths; behind its end a path is level."""
        bars = end - start + 1
        widths = np.int64(1) << np.ceil(np.log2(bars)).astype(np.int64)
        for width in np.unique(widths).tolist():
            alike = np.flatnonzero(widths == width)
            step = max(1, _MOST_CELLS // width)
            for begin in range(0, len(alike), step):
                rows = alike[begin : begin + step]
                steps = np.arange(width)
                place = start[rows, None] + steps
                held = steps < bars[rows, None]
                returns = self.returns.take(np.minimum(place, len(self.returns) - 1))
                log = _log_growth(position[rows, None], returns)
                log[~held] = 0.0
                yield rows, np.cumsum(log, axis=1)


class _Extremes:
    """
    A disjoint sparse table of the highest, lowest and deepest fall of a path between two bars.

    On level k the bars are in blocks of 2^(k+1); a bar in the first half of its block knows the
    stretch from itself to the middle, one in the second half that from the middle to itself. Two
    bars fall into two halves of one block on exactly one level: that of the highest bit in which
    their numbers differ.
    """

    def __init__(self, sums: Floats) -> None:
        values = sums[1:]
        count = len(values)
        levels = max(1, (count - 1).bit_length())
        width = 1 << levels
        padded = np.full(width, values[-1])
        padded[:count] = values
        table = np.empty((levels, width, 3))
        for level in range(levels):
            half = 1 << level
            blocks = padded.reshape(-1, 2, half)
            made = table[level].reshape(-1, 2, half, 3)
            after = blocks[:, 1]
            highest = np.maximum.accumulate(after, axis=1)
            made[:, 1, :, 0] = highest
            made[:, 1, :, 1] = np.minimum.accumulate(after, axis=1)
            made[:, 1, :, 2] = np.maximum.accumulate(highest - after, axis=1)
            before = blocks[:, 0, ::-1]
            lowest = np.minimum.accumulate(before, axis=1)
            made[:, 0, ::-1, 0] = np.maximum.accumulate(before, axis=1)
            made[:, 0, ::-1, 1] = lowest
            made[:, 0, ::-1, 2] = np.maximum.accumulate(before - lowest, axis=1)
        self._sums = sums
        self._table = table.reshape(-1, 3)
        self._width = width
        # The level of two bars by the bits in which they differ.
        self._level = np.zeros(width, np.int64)
        for level in range(1, levels):
            self._level[1 << level : 2 << level] = level * width

    @staticmethod
    def size(bars: int) -> int:
        """Return the bytes that a table over so many bars takes."""
        levels = max(1, (bars - 1).bit_length())
        return levels * (1 << levels) * 24

    def of(self, start: Bars, end: Bars) -> tuple[Floats, Floats, Floats]:
        """Return (highest, lowest, deepest fall) of the path from bar to bar, each row's."""
        level = self._level.take(start ^ end)
        left = self._table.take(level + start, axis=0)
        level += end
        right = self._table.take(level, axis=0)
        base = self._sums.take(start)
        high = np.maximum(left[:, 0], right[:, 0])
        low = np.minimum(left[:, 1], right[:, 1])
        fall = left[:, 0] - right[:, 1]
        np.maximum(fall, left[:, 2], out=fall)
        np.maximum(fall, right[:, 2], out=fall)
        high -= base
        low -= base
        return high, low, fall


def _log_growth(position: float | Floats, returns: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = position * returns
        # Ruin is found where it happens; here it must only not become NaN.
        log: Floats = np.log1p(np.maximum(factor, -1.0))
    return np.where(np.isneginf(log), -1e3, log)


def _by_position(position: Floats) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Yield each position other than 0 with the rows that have it."""
    rows = np.flatnonzero(position)
    # Most strategies hold one of a few sizes, which are found quicker than the rest is sorted.
    for _ in range(_FEW):
        if not len(rows):
            return
        held = position.take(rows)
        value = float(held[0])
        same = held == value
        yield value, rows[same]
        rows = rows[~same]
    held = position.take(rows)
    order = rows[np.argsort(held, kind="stable")]
    edges = np.flatnonzero(np.diff(position.take(order))) + 1
    for part in np.split(order, edges) if len(order) else []:
        yield float(position[part[0]]), part
