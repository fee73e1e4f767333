"""The deepest fall of each strategy's equity, bar by bar, and how long it lasted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings
from catalog.metrics.paths import Paths

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Equity that is so near to a peak, in logs, is at it: prices come back to the same tick, but the
# product of their returns does not come back to exactly 1.
LEVEL = 1e-12


@dataclass(frozen=True, eq=False)
class Drawdowns:
    """
    Of each strategy the deepest fall, (strategies,) each.

    `depth` is a fraction of the peak, 0 or negative. `bars` counts from the last bar at the peak
    to the first one that is back at it, or to the end of the range; 0 where nothing was lost.
    """

    depth: Floats
    bars: Ints


@dataclass(frozen=True, eq=False)
class _Course:
    """
    Log equity over the holdings, (holdings,) each.

    `before` is where a holding starts from, `high` and `low` are its extremes, `deepest` the
    deepest fall that ends in it, from within it or from the `peak` before it.
    """

    before: Floats
    high: Floats
    low: Floats
    peak: Floats
    deepest: Floats


def find_drawdowns(
    holdings: Holdings, paths: Paths, *, equity: Floats, correction: Floats
) -> Drawdowns:
    """
    Return the deepest fall of each strategy.

    Args:
        holdings: those without a position may be left out, but for each strategy's first row.
        equity: (holdings,) log equity before each holding.
        correction: (holdings,) added to the log growth at a holding's first bar.
    """
    course = _course(holdings, paths, equity + correction)
    depth = np.maximum.reduceat(course.deepest, holdings.offsets[:-1])
    bars = np.zeros(holdings.strategies, np.int64)
    lost = np.flatnonzero(depth > LEVEL)
    if len(lost):
        bars[lost] = _durations(holdings, paths, course, lost, depth)
    return Drawdowns(np.where(depth > LEVEL, np.expm1(-depth), 0.0), bars)


def _course(holdings: Holdings, paths: Paths, before: Floats) -> _Course:
    high, low, fall = paths.extremes(holdings.position, holdings.start, holdings.end)
    high += before
    low += before
    peak = np.empty_like(high)
    # Equity was 1 before the first bar.
    peak[holdings.offsets[:-1]] = 0.0
    for begin, stop in pairwise(holdings.offsets.tolist()):
        if stop - begin > 1:
            np.maximum.accumulate(high[begin : stop - 1], out=peak[begin + 1 : stop])
    np.maximum(peak, 0.0, out=peak)
    return _Course(before, high, low, peak, np.maximum(peak - low, fall))


def _durations(
    holdings: Holdings, paths: Paths, course: _Course, lost: Ints, depth: Floats
) -> Ints:
    """Return how long the deepest falls of some strategies lasted."""
    counts = np.diff(holdings.offsets)
    enough = np.repeat(depth - LEVEL, counts)
    at = _first_of_each(np.flatnonzero(course.deepest >= enough), holdings)[lost]
    top, left, right = _within(holdings, paths, course, at, depth[lost])
    level = np.full(holdings.strategies, np.inf)
    level[lost] = top - LEVEL
    reaching = np.flatnonzero(course.high >= np.repeat(level, counts))

    alone = np.flatnonzero(left < 0)
    row = _neighbour(reaching, at[alone], before=True)
    found = row >= holdings.offsets[lost[alone]]
    left[alone] = holdings.first[lost[alone]] - 1
    if found.any():
        here, row = alone[found], row[found]
        bar = _bar_at(holdings, paths, course, row, top[here], last=True)
        # From the end of a holding on, equity stays where it is until the next one begins.
        left[here] = np.where(bar == holdings.end[row], holdings.start[row + 1] - 1, bar)

    alone = np.flatnonzero(right < 0)
    row = _neighbour(reaching, at[alone], before=False)
    found = (row >= 0) & (row < holdings.offsets[lost[alone] + 1])
    right[alone] = holdings.last[lost[alone]]
    if found.any():
        here, row = alone[found], row[found]
        right[here] = _bar_at(holdings, paths, course, row, top[here], last=False)
    return right - left


def _within(
    holdings: Holdings, paths: Paths, course: _Course, at: Ints, depth: Floats
) -> tuple[Floats, Ints, Ints]:
    """
    Look at the holdings in which the deepest falls end.

    Returns:
        The log equity at the peak, the last bar at it and the first one that is back at it; -1
        where a bar is in another holding.
    """
    top, left, right = course.peak[at], np.full(len(at), -1), np.full(len(at), -1)
    start, position, end = holdings.start[at], holdings.position[at], holdings.end[at]
    crosses = top - course.low[at] >= depth - LEVEL
    for is_inner in (False, True):
        chosen = np.flatnonzero(crosses != is_inner)
        for part, own in paths.walk(position[chosen], start[chosen], end[chosen]):
            rows = chosen[part]
            own += course.before[at[rows], None]
            bound = depth[rows, None] - LEVEL
            if is_inner:
                run = np.maximum.accumulate(own, axis=1)
                trough = np.argmax(run - own >= bound, axis=1)
                top[rows] = run[np.arange(len(rows)), trough]
            else:
                trough = np.argmax(own <= top[rows, None] - bound, axis=1)
            is_up = own >= top[rows, None] - LEVEL
            is_early = np.arange(own.shape[1]) < trough[:, None]
            left[rows] = _bar(start[rows], is_up & is_early, last=True)
            right[rows] = _bar(start[rows], is_up & ~is_early, last=False)
    return top, left, right


def _bar(start: Ints, found: NDArray[np.bool_], *, last: bool) -> Ints:
    """Return the first or last bar of each row that is found, -1 where none is."""
    step = np.argmax(found[:, ::-1] if last else found, axis=1)
    step = found.shape[1] - 1 - step if last else step
    bar: Ints = np.where(found[np.arange(len(step)), step], start + step, -1)
    return bar


def _bar_at(
    holdings: Holdings, paths: Paths, course: _Course, row: Ints, top: Floats, *, last: bool
) -> Ints:
    """Return the first or last bar of each of some holdings at which equity is at the top."""
    bar = np.empty(len(row), np.int64)
    start, end = holdings.start[row], holdings.end[row]
    for part, path in paths.walk(holdings.position[row], start, end):
        is_up = path + course.before[row[part], None] >= top[part, None] - LEVEL
        # A path is level behind its end.
        bar[part] = np.minimum(_bar(start[part], is_up, last=last), end[part])
    return bar


def _first_of_each(rows: Ints, holdings: Holdings) -> Ints:
    """Return the first of some rows of each strategy, -1 where it has none of them."""
    found = np.full(holdings.strategies, -1)
    backwards = rows[::-1]
    found[holdings.strategy[backwards]] = backwards
    return found


def _neighbour(rows: Ints, at: Ints, *, before: bool) -> Ints:
    """Return the last of ascending rows before each of some, or the first behind; -1 for none."""
    place = np.searchsorted(rows, at) - 1 if before else np.searchsorted(rows, at, "right")
    found = (place >= 0) & (place < len(rows))
    if not len(rows):
        return np.full(len(at), -1)
    return np.where(found, rows[np.clip(place, 0, len(rows) - 1)], -1)
