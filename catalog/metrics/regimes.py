"""What strategies earn in each state of a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings, clip, holdings_of_changes
from catalog.metrics.market import Market
from catalog.metrics.measure import Measured, measure
from catalog.metrics.prefix import Prefix
from catalog.metrics.sessions import session_returns
from catalog.metrics.terms import Terms

Ints = NDArray[np.int64]

UNKNOWN = "unknown"
"""The regime before a classifier's first row."""


@dataclass(frozen=True, eq=False)
class Regimes:
    """
    The states of a classifier on the bars of a price series.

    Bar t is in the state that was known at bar t - 1: a stretch begins at `starts`, in the state
    names[state]; the last one holds to the end of the series. `classifier` is how it is called;
    `digest` differs where the states do.
    """

    classifier: str
    starts: Ints
    state: Ints
    names: tuple[str, ...]
    digest: str

    def measure(
        self, holdings: Holdings, market: Market, terms: Terms
    ) -> Iterator[tuple[str, Ints, Measured]]:
        """
        Yield each state that occurs, the strategies that saw it, and their figures in it.

        The figures are those of the strategy if it had traded in that state only: what all states
        return compounds to what the strategy returned.
        """
        pieces, state = self._cut(holdings)
        for number, name in enumerate(self.names):
            chosen, seen = _only(pieces, state == number)
            if len(seen):
                benchmark = self._benchmark(chosen, market, number)
                yield name, seen, measure(chosen, market, terms, benchmark=benchmark)

    def _benchmark(self, chosen: Holdings, market: Market, number: int) -> NDArray[np.float64]:
        count = chosen.strategies
        bought = holdings_of_changes(
            chosen.origin,
            np.ones(count),
            offsets=np.arange(count + 1),
            first=chosen.origin,
            last=chosen.last,
        )
        pieces, state = self._cut(clip(bought, chosen.first, chosen.last))
        held, _ = _only(pieces, state == number)
        growth = market.paths.growth(held.position, held.start, held.end)
        equity, _ = Prefix(growth).within(held.offsets)
        return session_returns(
            held, market.paths, grid=market.grid, equity=equity, correction=np.zeros(len(growth))
        ).net

    def _cut(self, holdings: Holdings) -> tuple[Holdings, Ints]:
        """Cut holdings where the state changes, and return the state of each piece."""
        begin = np.searchsorted(self.starts, holdings.start, "right") - 1
        stop = np.searchsorted(self.starts, holdings.end, "right") - 1
        counts = stop - begin + 1
        source = np.repeat(np.arange(len(counts)), counts)
        firsts = np.cumsum(counts) - counts
        stretch = np.arange(len(source)) - np.repeat(firsts - begin, counts)
        stretch_end = np.append(self.starts[1:] - 1, np.iinfo(np.int64).max)
        start = np.maximum(holdings.start[source], self.starts[stretch])
        end = np.minimum(holdings.end[source], stretch_end[stretch])
        position = holdings.position[source]
        is_first = start == holdings.start[source]
        previous = np.where(is_first, holdings.previous[source], position)
        strategy = holdings.strategy[source]
        offsets = np.searchsorted(strategy, np.arange(holdings.strategies + 1))
        cut = replace(
            holdings,
            strategy=strategy,
            start=start,
            end=end,
            position=position,
            previous=previous,
            offsets=offsets,
        )
        return cut, self.state[stretch]


def _only(pieces: Holdings, keep: NDArray[np.bool_]) -> tuple[Holdings, Ints]:
    """Return some pieces, and which strategies have any."""
    seen, strategy = np.unique(pieces.strategy[keep], return_inverse=True)
    offsets = np.searchsorted(strategy, np.arange(len(seen) + 1))
    chosen = Holdings(
        strategy,
        pieces.start[keep],
        pieces.end[keep],
        pieces.position[keep],
        pieces.previous[keep],
        offsets,
        pieces.first[seen],
        pieces.last[seen],
        pieces.origin[seen],
    )
    return chosen, seen
