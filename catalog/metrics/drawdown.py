"""The deepest fall of each strategy's equity, bar by bar, and how long it lasted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings
from catalog.metrics.paths import Paths

Floats = NDArray[np.float64]

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
    bars: NDArray[np.int64]


def find_drawdowns(
    holdings: Holdings, paths: Paths, *, equity: Floats, correction: Floats
) -> Drawdowns:
    """
    Return the deepest fall of each strategy.

    Args:
        equity: (holdings,) log equity before each holding.
        correction: (holdings,) added to the log growth at a holding's first bar.
    """
    high, low, fall = paths.extremes(holdings.position, holdings.start, holdings.end)
    before = equity + correction
    high += before
    low += before
    peak = np.empty_like(high)
    depth = np.zeros(holdings.strategies)
    bars = np.zeros(holdings.strategies, np.int64)
    edges = holdings.offsets.tolist()
    for begin, stop in pairwise(edges):
        # Equity was 1 before the first bar.
        peak[begin] = 0.0
        if stop - begin > 1:
            np.maximum.accumulate(high[begin : stop - 1], out=peak[begin + 1 : stop])
            np.maximum(peak[begin + 1 : stop], 0.0, out=peak[begin + 1 : stop])
    deepest = np.maximum(peak - low, fall)
    depth = np.maximum.reduceat(deepest, holdings.offsets[:-1])
    for one in np.flatnonzero(depth > LEVEL).tolist():
        rows = slice(edges[one], edges[one + 1])
        bars[one] = _duration(
            holdings, paths, rows, float(depth[one]), before, high, low, fall, peak, deepest
        )
    shown = np.where(depth > LEVEL, np.expm1(-depth), 0.0)
    return Drawdowns(shown, bars)


def _duration(
    holdings: Holdings,
    paths: Paths,
    rows: slice,
    depth: float,
    before: Floats,
    high: Floats,
    low: Floats,
    fall: Floats,
    peak: Floats,
    deepest: Floats,
) -> int:
    """Return the bars from the last one at the peak to the first that is back there."""
    at = rows.start + int(np.argmax(deepest[rows] >= depth - LEVEL))
    top = float(peak[at])

    def path(row: int) -> Floats:
        position, start = float(holdings.position[row]), int(holdings.start[row])
        return paths.path(position, start, int(holdings.end[row])) + float(before[row])

    if top - low[at] >= depth - LEVEL:
        # It fell from a peak of an earlier holding, or from where the range begins.
        own = path(at)
        trough = int(np.argmax(top - own >= depth - LEVEL))
        left = None
        early = np.flatnonzero(own[:trough] >= top - LEVEL)
        if len(early):
            left = int(holdings.start[at]) + int(early[-1])
    else:
        own = path(at)
        run = np.maximum.accumulate(own)
        trough = int(np.argmax(run - own >= depth - LEVEL))
        top = float(run[trough])
        left = int(holdings.start[at]) + int(np.flatnonzero(own[:trough] >= top - LEVEL)[-1])
    if left is None:
        earlier = np.flatnonzero(high[rows.start : at] >= top - LEVEL)
        if len(earlier):
            row = rows.start + int(earlier[-1])
            left = int(holdings.start[row]) + int(np.flatnonzero(path(row) >= top - LEVEL)[-1])
        else:
            left = int(holdings.start[rows.start]) - 1
    back = np.flatnonzero(own[trough:] >= top - LEVEL)
    if len(back):
        return int(holdings.start[at]) + trough + int(back[0]) - left
    later = np.flatnonzero(high[at + 1 : rows.stop] >= top - LEVEL)
    if not len(later):
        return int(holdings.end[rows.stop - 1]) - left
    row = at + 1 + int(later[0])
    return int(holdings.start[row]) + int(np.flatnonzero(path(row) >= top - LEVEL)[0]) - left
