"""Holdings of many strategies on one price series: stretches of bars with a constant position."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bars = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Holdings:
    """
    The holdings of some strategies, one strategy after the other and each in bar order.

    `start` and `end` are the first and last bar at which `position` earns; `previous` is the
    position at the bar before. Strategy i has the rows offsets[i] to offsets[i + 1], at least one,
    and was evaluated from bar first[i] to last[i]. `origin[i]` is the first bar that the strategy
    ever saw, where nothing was earned yet; a range may begin later.
    """

    strategy: NDArray[np.int64]
    start: Bars
    end: Bars
    position: Floats
    previous: Floats
    offsets: NDArray[np.int64]
    first: Bars
    last: Bars
    origin: Bars

    @property
    def strategies(self) -> int:
        return len(self.first)

    @cached_property
    def bars(self) -> NDArray[np.int64]:
        """How many bars each holding has."""
        return self.end - self.start + 1

    @cached_property
    def changes(self) -> Floats:
        """By how much the position changed where each holding begins, without its sign."""
        return np.abs(self.position - self.previous)

    def in_market(self) -> Holdings:
        """Return the holdings with a position, and the first of each strategy."""
        keep = self.position != 0.0
        keep[self.offsets[:-1]] = True
        rows = np.flatnonzero(keep)
        strategy = self.strategy.take(rows)
        return replace(
            self,
            strategy=strategy,
            start=self.start.take(rows),
            end=self.end.take(rows),
            position=self.position.take(rows),
            previous=self.previous.take(rows),
            offsets=np.searchsorted(strategy, np.arange(self.strategies + 1)),
        )


def holdings_of_changes(
    bars: Bars, values: Floats, *, offsets: NDArray[np.int64], first: Bars, last: Bars, lag: int = 1
) -> Holdings:
    """
    Return the holdings that signals stand for.

    The position at a bar is the value in force `lag` bars before it, and 0 before the first row;
    after the last row it holds to the end of the range evaluated.

    Args:
        bars: where the values of all strategies change, ascending within each.
        values: fractions of equity, as long as `bars`.
        offsets: (strategies + 1,) where the rows of each strategy begin and the last one ends.
        first: first bar of the range that each strategy was evaluated over.
        last: its last bar.
    """
    strategies = len(first)
    counts = np.diff(offsets)
    # Before its changes each strategy has a lead-in without a position.
    places = np.arange(len(bars)) + np.repeat(np.arange(1, strategies + 1), counts)
    total = len(bars) + strategies
    start = np.empty(total, np.int64)
    position = np.zeros(total)
    strategy = np.repeat(np.arange(strategies), counts + 1)
    heads = offsets[:-1] + np.arange(strategies)
    start[places] = bars + lag
    start[heads] = first
    position[places] = values
    previous = np.empty(total)
    previous[1:] = position[:-1]
    previous[heads] = 0.0
    keep = position != previous
    keep[heads] = True
    keep &= start <= last[strategy]
    return _cut(strategy[keep], start[keep], position[keep], previous[keep], first, last)


def _cut(
    strategy: NDArray[np.int64],
    start: Bars,
    position: Floats,
    previous: Floats,
    first: Bars,
    last: Bars,
) -> Holdings:
    offsets = np.searchsorted(strategy, np.arange(len(first) + 1))
    end = np.empty_like(start)
    end[:-1] = start[1:] - 1
    end[offsets[1:] - 1] = last
    return Holdings(strategy, start, end, position, previous, offsets, first, last, first)


def clip(holdings: Holdings, first: Bars, last: Bars) -> Holdings:
    """
    Return the holdings within a range of bars per strategy, which overlaps the strategy's own.

    A position that is held already where the range begins costs nothing there.
    """
    low, high = first[holdings.strategy], last[holdings.strategy]
    keep = (holdings.start <= high) & (holdings.end >= low)
    start = np.maximum(holdings.start, low)[keep]
    end = np.minimum(holdings.end, high)[keep]
    position = holdings.position[keep]
    previous = np.where(holdings.start[keep] < low[keep], position, holdings.previous[keep])
    strategy = holdings.strategy[keep]
    offsets = np.searchsorted(strategy, np.arange(len(first) + 1))
    return Holdings(strategy, start, end, position, previous, offsets, first, last, holdings.origin)
