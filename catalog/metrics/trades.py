"""Trades as figures: how many, how often they won, how long they were held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.drawdown import LEVEL
from catalog.metrics.holdings import Holdings

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TradeFigures:
    """
    Of each strategy, (strategies,) each; NaN where there is nothing to tell.

    The last trade, if open, counts in `trades` and `mean_holding` (bars) only.
    """

    trades: NDArray[np.int64]
    hit_rate: Floats
    profit_factor: Floats
    mean_holding: Floats


def trade_figures(holdings: Holdings, growth: Floats, closing: Floats | None) -> TradeFigures:
    """
    Return the figures of the trades: stretches over which a position keeps its sign.

    The net returns of a strategy's trades compound to its total return.

    Args:
        growth: (holdings,) log growth of each holding, all costs included.
        closing: (holdings,) the part of it that closing the position before made, in logs; None
            where nothing was paid.
    """
    count = holdings.strategies
    rows = np.flatnonzero(holdings.position)
    if not len(rows):
        nothing = np.full(count, np.nan)
        return TradeFigures(np.zeros(count, np.int64), nothing, nothing.copy(), nothing.copy())
    start, end = holdings.start.take(rows), holdings.end.take(rows)
    strategy, is_short = holdings.strategy.take(rows), holdings.position.take(rows) < 0
    edge = np.empty(len(rows), bool)
    edge[0] = True
    edge[1:] = start[1:] != end[:-1] + 1
    edge[1:] |= is_short[1:] != is_short[:-1]
    edge[1:] |= strategy[1:] != strategy[:-1]
    heads = np.flatnonzero(edge)
    tails = np.append(heads[1:], len(rows)) - 1
    net = np.add.reduceat(growth.take(rows), heads)
    if closing is not None:
        # What closing costs belongs to the trade that is closed.
        net -= closing[rows[heads]]
        net += np.append(closing, 0.0)[rows[tails] + 1]
    owner = strategy[heads]
    trades = np.bincount(owner, minlength=count)
    held = np.bincount(strategy, end - start + 1, count)
    closed = end[tails] != holdings.last[owner]
    earned = np.expm1(net[closed])
    earned[np.abs(earned) <= LEVEL] = 0.0
    owner = owner[closed]
    closings = np.bincount(owner, minlength=count)
    wins = np.bincount(owner[earned > 0], minlength=count)
    gains = np.bincount(owner, np.maximum(earned, 0.0), count)
    losses = np.bincount(owner, np.maximum(-earned, 0.0), count)
    with np.errstate(divide="ignore", invalid="ignore"):
        return TradeFigures(
            trades,
            wins / np.where(closings > 0, closings, np.nan),
            gains / np.where(losses > 0, losses, np.nan),
            held / np.where(trades > 0, trades, np.nan),
        )
