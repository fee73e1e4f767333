"""On what terms strategies trade, and what these make of the bars at which positions change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings
from catalog.metrics.market import Market

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """
    On what terms strategies trade.

    `cost_bps` is paid one way on every change of position, in basis points of equity; `fill` is
    `close` (of the signal's own bar) or `next_open`.
    """

    cost_bps: float = 0.0
    fill: str = "close"


@dataclass(frozen=True, eq=False)
class Corrections:
    """
    What the first bar of each holding returns beyond position × return, (holdings,) each.

    `returns` is added to the bar's return and `gross` is that without cost; `log` is added to its
    log growth, of which `closing` is what closing the position before made.
    """

    returns: Floats
    gross: Floats
    log: Floats
    closing: Floats
    is_ruin: NDArray[np.bool_]
    lacks_open: NDArray[np.bool_]


def correct(holdings: Holdings, market: Market, terms: Terms) -> Corrections | None:
    """Return what changes of position cost and gain beside their bars; None for nothing."""
    size = len(holdings.position)
    cost = terms.cost_bps / 1e4
    if cost == 0 and terms.fill == "close":
        return None
    new, old = holdings.position, holdings.previous
    changed = np.flatnonzero(new != old)
    new, old, start = new[changed], old[changed], holdings.start[changed]
    plain = 1.0 + new * market.returns[start]
    before = np.zeros(len(changed))
    factor = plain.copy()
    if terms.fill == "next_open":
        before = old * market.grid.gap[start]
        factor = (1.0 + before) * (1.0 + new * market.from_open[start])
    gross = factor - plain
    factor -= cost * np.abs(new - old)
    is_closing = (old != 0) & (np.sign(new) != np.sign(old))
    closing = np.where(is_closing, 1.0 + before - cost * np.abs(old), 1.0)
    returned, gross_too, log, closings = (np.zeros(size) for _ in range(4))
    made = Corrections(
        returned, gross_too, log, closings, np.zeros(size, bool), np.zeros(size, bool)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        made.returns[changed] = factor - plain
        made.gross[changed] = gross
        made.log[changed] = np.log(factor / plain)
        made.closing[changed] = np.log(closing)
    made.lacks_open[changed] = market.lacks_open[start] & (terms.fill == "next_open")
    made.is_ruin[changed] = (factor <= 0) | (closing <= 0)
    made.log[~np.isfinite(made.log)] = 0.0
    made.closing[~np.isfinite(made.closing)] = 0.0
    # Where the bar before is in no holding, nothing is closed.
    follows = np.zeros(size, bool)
    follows[1:] = holdings.start[1:] == holdings.end[:-1] + 1
    follows[holdings.offsets[:-1]] = False
    made.closing[~follows] = 0.0
    return made
