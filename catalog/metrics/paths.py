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
_TABLE_WORTH = 10
_SUMS_WORTH = 1
_MOST_SUMS = 64
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
        self._sums: dict[float, _Sums] = {}
        self._tables: dict[float, _Extremes] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def growth(self, position: Floats, start: Bars, end: Bars) -> Floats:
        """
        Return the log of what equity is multiplied by, holding `position` from bar to bar.

        All arguments are of one length.
        """
        log = np.zeros(len(position))
        rest = []
        for value, rows in _by_position(position):
            first, stop = start.take(rows), end.take(rows) + 1
            sums = self._sums_of(value, int((stop - first).sum()))
            if sums is None:
                rest.append(rows)
            else:
                log[rows] = sums.log.between(first, stop)[0]
        for rows, path, _ in self._bar_by_bar(position, start, end, rest):
            log[rows] = path[:, -1]
        return log

    def totals(self, position: Floats, start: Bars, end: Bars) -> tuple[Floats, Floats, Floats]:
        """Return log growth, the sum of the bars' returns and the sum of their squares."""
        log, total, square = (np.zeros(len(position)) for _ in range(3))
        rest = []
        for value, rows in _by_position(position):
            first, stop = start.take(rows), end.take(rows) + 1
            sums = self._sums_of(value, int((stop - first).sum()))
            if sums is None:
                rest.append(rows)
            else:
                log[rows], total[rows], square[rows] = sums.all.between(first, stop)
        for rows, path, earned in self._bar_by_bar(position, start, end, rest):
            log[rows] = path[:, -1]
            total[rows] = earned.sum(axis=1)
            square[rows] = (earned * earned).sum(axis=1)
        return log, total, square

    def extremes(self, position: Floats, start: Bars, end: Bars) -> tuple[Floats, Floats, Floats]:
        """
        Return the highest and lowest log equity after any bar, and the deepest fall, of each row.

        Equity is relative to the one before the first bar; a fall is from one bar to a later one.
        """
        high, low, fall = (np.zeros(len(position)) for _ in range(3))
        rest = []
        for value, rows in _by_position(position):
            first, last = start.take(rows), end.take(rows)
            table = self._table_of(value, int((last - first + 1).sum()))
            if table is None:
                rest.append(rows)
            else:
                high[rows], low[rows], fall[rows] = table.of(first, last)
        for rows, path, _ in self._bar_by_bar(position, start, end, rest):
            high[rows] = path.max(axis=1)
            low[rows] = path.min(axis=1)
            fall[rows] = (np.maximum.accumulate(path, axis=1) - path).max(axis=1)
        return high, low, fall

    def walk(
        self, position: Floats, start: Bars, end: Bars
    ) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """
        Yield rows of about the same length with the log equity after each of their bars.

        Equity is relative to the one before the first bar. Behind its end a path is level.
        """
        rest = [np.flatnonzero(position == 0.0)]
        for value, rows in _by_position(position):
            if value not in self._sums:
                rest.append(rows)
                continue
            sums = self._sums[value].rounded
            for part, place in _places(start, end, rows):
                yield part, sums.take(place + 1) - sums.take(start[part])[:, None]
        for part, path, _ in self._bar_by_bar(position, start, end, rest):
            yield part, path

    def _sums_of(self, value: float, bars: int) -> _Sums | None:
        found = self._sums.get(value)
        if found is None and bars >= _SUMS_WORTH * len(self.returns):
            found = _Sums(value, self.returns)
            with self._lock:
                if len(self._sums) < _MOST_SUMS:
                    self._sums[value] = found
        return found

    def _table_of(self, value: float, bars: int) -> _Extremes | None:
        found = self._tables.get(value)
        if found is not None or bars < _TABLE_WORTH * len(self.returns):
            return found
        with self._lock:
            found = self._tables.get(value)
            size = _Extremes.size(len(self.returns))
            if found is None and self._bytes + size <= MOST_TABLE_BYTES:
                sums = self._sums.get(value) or _Sums(value, self.returns)
                found = _Extremes(sums.rounded)
                self._tables[value] = found
                self._bytes += size
        return found

    def _bar_by_bar(
        self, position: Floats, start: Bars, end: Bars, parts: list[NDArray[np.int64]]
    ) -> Iterator[tuple[NDArray[np.int64], Floats, Floats]]:
        """Yield rows with their paths and with what each bar returned; 0 behind the end."""
        rows = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        for part, place in _places(start, end, rows):
            earned = position[part, None] * self.returns.take(place)
            # Behind its end a place is the end again.
            earned[:, 1:][place[:, 1:] == place[:, :-1]] = 0.0
            yield part, np.cumsum(_log(earned), axis=1), earned


class _Sums:
    """Prefix sums for one position value: of log growth, of returns and of their squares."""

    def __init__(self, position: float, returns: Floats) -> None:
        earned = position * returns
        log = _log(earned)
        # What is asked for alone is found quicker where it lies alone.
        self.log = Prefix(log)
        self.all = Prefix(log, earned, earned * earned)
        self.rounded = self.log.rounded


def _places(
    start: Bars, end: Bars, rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], Bars]]:
    """Yield rows of about the same length with the numbers of their bars, the last one repeated."""
    if not len(rows):
        return
    widths = np.int64(1) << np.ceil(np.log2(end[rows] - start[rows] + 1)).astype(np.int64)
    for width in np.unique(widths).tolist():
        alike = rows[widths == width]
        step = max(1, _MOST_CELLS // width)
        for begin in range(0, len(alike), step):
            part = alike[begin : begin + step]
            yield part, np.minimum(start[part, None] + np.arange(width), end[part, None])


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


def _log(earned: Floats) -> Floats:
    """Return the log of 1 + returns. Ruin is found elsewhere; here it must only not be NaN."""
    with np.errstate(divide="ignore"):
        log: Floats = np.log1p(np.maximum(earned, -1.0))
    return np.maximum(log, -1e3)


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
