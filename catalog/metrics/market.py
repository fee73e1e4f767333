"""A price series made ready: bar returns, their prefix sums, its sessions, buy and hold."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings, clip, holdings_of_changes
from catalog.metrics.paths import Paths
from catalog.metrics.prefix import Prefix
from catalog.metrics.sessions import SessionGrid, SessionReturns, session_returns
from catalog.prices.series import PriceSeries

Floats = NDArray[np.float64]
Bars = NDArray[np.int64]


class Market:
    """
    What every strategy on a price series needs of it. Threads may share one object.

    `returns` are the simple returns from close to close, (bars,), 0 at the first bar and where a
    close is unknown; `from_open` those from a bar's own open to its close.
    """

    def __init__(self, series: PriceSeries) -> None:
        self.series = series
        self.sessions_per_year = series.sessions_per_year
        self.bars_per_year = series.bars_per_year
        close, opening = series.close, series.open
        returns = np.zeros(len(close))
        returns[1:] = close[1:] / close[:-1] - 1.0
        unknown = np.isnan(returns)
        self.returns = np.where(unknown, 0.0, returns)
        self.unknown = np.concatenate(([0], np.cumsum(unknown)))
        gap = np.zeros(len(close))
        gap[1:] = opening[1:] / close[:-1] - 1.0
        from_open = close / opening - 1.0
        # Where an open is unknown, all of the bar's return was made after it.
        self.from_open = np.where(np.isnan(from_open), self.returns, from_open)
        starts = np.flatnonzero(np.diff(series.session, prepend=-1))
        self.grid = SessionGrid(
            series.session,
            starts,
            np.append(starts[1:], len(close)) - 1,
            np.where(np.isnan(gap), 0.0, gap),
            not bool(np.isnan(opening).all()),
        )
        self.paths = Paths(self.returns)
        self.sums = Prefix(self.returns)
        self.squares = Prefix(self.returns * self.returns)

    def unpriced_bars(self, holdings: Holdings) -> NDArray[np.int64]:
        """Return how many bars without a known return each strategy held a position over."""
        if self.unknown[-1] == 0:
            return np.zeros(holdings.strategies, np.int64)
        bars = self.unknown[holdings.end + 1] - self.unknown[holdings.start]
        bars = np.where(holdings.position != 0, bars, 0)
        return np.add.reduceat(bars, holdings.offsets[:-1])

    def is_ruin(self, holdings: Holdings) -> NDArray[np.bool_]:
        """Return which holdings lose all equity in one of their bars."""
        found = np.zeros(len(holdings.position), bool)
        worst, best = self._worst_and_best
        risky = (1.0 + holdings.position * worst <= 0) | (1.0 + holdings.position * best <= 0)
        for row in np.flatnonzero(risky).tolist():
            held = self.returns[holdings.start[row] : holdings.end[row] + 1]
            found[row] = bool((1.0 + holdings.position[row] * held <= 0).any())
        return found

    @cached_property
    def _worst_and_best(self) -> tuple[float, float]:
        return float(self.returns.min()), float(self.returns.max())

    def buy_and_hold(self, holdings: Holdings) -> SessionReturns:
        """
        Return what a position of 1 over the bars of each strategy earns in each session.

        It is bought at the close of the first bar that the strategy ever saw.
        """
        ranges = np.stack([holdings.first, holdings.last, holdings.origin], axis=1)
        unique, which = np.unique(ranges, axis=0, return_inverse=True)
        which = which.reshape(-1)
        made = self._hold(unique)
        # Each strategy gets the rows of its range.
        counts = np.diff(made.offsets)[which]
        offsets = np.concatenate(([0], np.cumsum(counts)))
        rows = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - made.offsets[which], counts)
        return SessionReturns(
            np.repeat(np.arange(len(which)), counts),
            made.session[rows],
            made.net[rows],
            made.overnight[rows],
            made.turnover[rows],
            made.bars_held[rows],
            offsets,
        )

    def _hold(self, ranges: NDArray[np.int64]) -> SessionReturns:
        first, last, origin = ranges.T
        count = len(ranges)
        bought = holdings_of_changes(
            origin,
            np.ones(count),
            offsets=np.arange(count + 1),
            first=origin,
            last=last,
        )
        held = clip(bought, first, last)
        growth = self.paths.growth(held.position, held.start, held.end)
        sums = Prefix(growth)
        begin = np.repeat(held.offsets[:-1], np.diff(held.offsets))
        equity = sums.between(begin, np.arange(len(growth)))
        made = session_returns(
            held, self.paths, grid=self.grid, equity=equity, correction=np.zeros(len(growth))
        )
        for row in np.flatnonzero(self.unpriced_bars(held)).tolist():
            made.net[made.offsets[row] : made.offsets[row + 1]] = np.nan
        return made
