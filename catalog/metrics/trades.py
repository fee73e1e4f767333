"""Trades as figures: how many, how often they won, how long they were held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.drawdown import LEVEL
from catalog.metrics.holdings import Holdings
from catalog.metrics.prefix import grouped_sums

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


def trade_figures(holdings: Holdings, growth: Floats, closing: Floats) -> TradeFigures:
    """
    Return the figures of the trades: stretches over which a position keeps its sign.

    The net returns of a strategy's trades compound to its total return.

    Args:
        growth: (holdings,) log growth of each holding, all costs included.
        closing: (holdings,) the part of it that closing the position before made, in logs.
    """
    count = holdings.strategies
    sign = np.sign(holdings.position)
    edge = np.empty(len(sign), bool)
    edge[0] = True
    edge[1:] = (
        (sign[1:] != sign[:-1])
        | (holdings.strategy[1:] != holdings.strategy[:-1])
        | (holdings.start[1:] != holdings.end[:-1] + 1)
    )
    heads = np.flatnonzero(edge)
    bounds = np.append(heads, len(sign))
    net = grouped_sums(growth, bounds)
    net -= closing[heads]
    # What closing costs belongs to the trade that is closed.
    net[:-1] += closing[heads[1:]]
    strategy = holdings.strategy[heads]
    in_market = sign[heads] != 0
    tails = bounds[1:] - 1
    is_open = holdings.end[tails] == holdings.last[strategy]
    bars = grouped_sums(holdings.bars.astype(np.float64), bounds)
    trades = np.bincount(strategy[in_market], minlength=count)
    closed = in_market & ~is_open
    earned = np.expm1(net[closed])
    earned[np.abs(earned) <= LEVEL] = 0.0
    owner = strategy[closed]
    closings = np.bincount(owner, minlength=count)
    wins = np.bincount(owner, earned > 0, count)
    gains = np.bincount(owner, np.maximum(earned, 0.0), count)
    losses = np.bincount(owner, np.maximum(-earned, 0.0), count)
    with np.errstate(divide="ignore", invalid="ignore"):
        return TradeFigures(
            trades,
            wins / np.where(closings > 0, closings, np.nan),
            gains / np.where(losses > 0, losses, np.nan),
            np.bincount(strategy[in_market], bars[in_market], count)
            / np.where(trades > 0, trades, np.nan),
        )
