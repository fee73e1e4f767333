"""A price series made ready: bar returns, their prefix sums, its sessions, buy and hold."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings, clip, holdings_of_changes
from catalog.metrics.paths import Paths
from catalog.metrics.prefix import Prefix
from catalog.metrics.sessions import SessionGrid, SessionReturns, session_returns
from catalog.prices.series import PriceSeries
from catalog.traces.content import PricesDigest

Floats = NDArray[np.float64]

# Ranges whose benchmark is kept for the next strategies.
_MOST_HELD = 2000
# Ranges whose prices are digested: where every strategy has its own, it would take too long.
_MOST_DIGESTS = 1000


class Market:
    """
    What every strategy on a price series needs of it. Threads may share one object.

    `returns` are the simple returns from close to close, (bars,), 0 at the first bar. Where a close
    is unknown the bar returns 0 and the next known one all that happened since; `unknown` counts
    such bars. `from_open` are the returns from a bar's own open to its close, `lacks_open` says
    where there is none.
    """

    def __init__(self, series: PriceSeries) -> None:
        self.series = series
        self.sessions_per_year = series.sessions_per_year
        self.bars_per_year = series.bars_per_year
        is_known = ~np.isnan(series.close)
        seen = np.maximum.accumulate(np.where(is_known, np.arange(len(is_known)), -1))
        close = np.where(seen >= 0, series.close[np.maximum(seen, 0)], np.nan)
        opening = np.where(series.open > 0, series.open, np.nan)
        returns = np.zeros(len(close))
        returns[1:] = close[1:] / close[:-1] - 1.0
        self.returns = np.where(np.isnan(returns), 0.0, returns)
        unknown = ~is_known
        unknown[1:] |= ~is_known[:-1]
        self.unknown = np.concatenate(([0], np.cumsum(unknown)))
        gap = np.zeros(len(close))
        gap[1:] = opening[1:] / close[:-1] - 1.0
        from_open = close / opening - 1.0
        self.lacks_open = np.isnan(from_open)
        self.from_open = np.where(self.lacks_open, self.returns, from_open)
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
        self._digests: dict[tuple[int, int], str] = {}
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
        return session_returns(
            held, self.paths, grid=self.grid, equity=equity, correction=np.zeros(len(growth))
        )

    def strange_prices(
        self, digests: Sequence[str | None], first: NDArray[np.int64], last: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """
        Return which strategies say that they were made on other prices than these.

        Args:
            digests: of the times and prices of the bars from `first` to `last` of each strategy;
                None where it says nothing.
        """
        strange = np.zeros(len(digests), bool)
        for row, digest in enumerate(digests):
            if digest is not None:
                own = self._digest(int(first[row]), int(last[row]))
                strange[row] = own is not None and own != digest
        return strange

    def _digest(self, first: int, last: int) -> str | None:
        with self._lock:
            found = self._digests.get((first, last))
            if found is None and len(self._digests) < _MOST_DIGESTS:
                made = PricesDigest()
                bars = slice(first, last + 1)
                made.add(self.series.ts[bars], self.series.close[bars])
                found = self._digests[first, last] = made.hexdigest()
            return found
