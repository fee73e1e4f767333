"""A price series made ready: bar returns, their prefix sums, its sessions, buy and hold."""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings, clip, holdings_of_changes
from catalog.metrics.paths import Paths
from catalog.metrics.prefix import Prefix
from catalog.metrics.sessions import SessionGrid, SessionReturns, session_returns
from catalog.prices.series import PriceSeries

Floats = NDArray[np.float64]

# Ranges whose benchmark is kept for the next strategies.
_MOST_HELD = 2000


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
        self._held: dict[tuple[int, ...], Floats] = {}
        self._lock = threading.Lock()

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
        sizes = np.abs(holdings.position).max(initial=0.0)
        if sizes * max(-worst, best) < 1.0:
            return found
        risky = (1.0 + holdings.position * worst <= 0) | (1.0 + holdings.position * best <= 0)
        for row in np.flatnonzero(risky).tolist():
            held = self.returns[holdings.start[row] : holdings.end[row] + 1]
            found[row] = bool((1.0 + holdings.position[row] * held <= 0).any())
        return found

    @cached_property
    def _worst_and_best(self) -> tuple[float, float]:
        return float(self.returns.min()), float(self.returns.max())

    def buy_and_hold(self, holdings: Holdings) -> Floats:
        """
        Return what a position of 1 over the bars of each strategy earns in each session, (rows,).

        It is bought at the close of the first bar that the strategy ever saw.
        """
        ranges = np.stack([holdings.first, holdings.last, holdings.origin], axis=1)
        unique, which = np.unique(ranges, axis=0, return_inverse=True)
        keys = [tuple(one) for one in unique.tolist()]
        with self._lock:
            lacking = [row for row, key in enumerate(keys) if key not in self._held]
            if len(self._held) + len(lacking) > _MOST_HELD:
                self._held, lacking = {}, list(range(len(keys)))
            if lacking:
                made = self._hold(unique[lacking])
                parts = np.split(made.net, made.offsets[1:-1])
                self._held |= dict(zip((keys[row] for row in lacking), parts, strict=True))
            held = [self._held[key] for key in keys]
        return np.concatenate([held[row] for row in which.reshape(-1).tolist()])

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
        equity, _ = Prefix(growth).within(held.offsets)
        made = session_returns(
            held, self.paths, grid=self.grid, equity=equity, correction=np.zeros(len(growth))
        )
        for row in np.flatnonzero(self.unpriced_bars(held)).tolist():
            made.net[made.offsets[row] : made.offsets[row + 1]] = np.nan
        return made
