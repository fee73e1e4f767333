"""
The catalog's figures the dense way, as quick as NumPy alone makes it: one value per bar.

One strategy at a time, so that its bars stay in the processor's cache: running products and
maxima over a matrix of many strategies take up to six times as long. What is made of every bar
is written where that of the strategy before was: new memory would take as long as the arithmetic.
"""

from __future__ import annotations

import numpy as np
from metrics_data import Bars, Floats

from catalog.prices.series import PriceSeries

LEVEL = 1e-12
"""Equity that is so near to a peak is at it, and a trade that earned so little earned nothing."""

Sessions = tuple[Floats, Floats, Floats, Bars]
"""Of one strategy's sessions: returns, what of them was made overnight, turnover, bars held."""


class DenseMarket:
    """What all strategies that were evaluated over a whole price series need of it."""

    def __init__(self, series: PriceSeries) -> None:
        close = series.close
        self.count = len(close)
        self.sessions_per_year = series.sessions_per_year
        self.bars_per_year = series.bars_per_year
        self.returns = np.zeros(self.count)
        self.returns[1:] = close[1:] / close[:-1] - 1
        self.starts = np.flatnonzero(np.diff(series.session, prepend=-1))
        self.ends = np.append(self.starts[1:], self.count) - 1
        self.gap = np.zeros(len(self.starts))
        after = self.starts[1:]
        self.gap[1:] = series.open[after] / close[after - 1] - 1
        self.benchmark = np.multiply.reduceat(1 + self.returns, self.starts) - 1


class Room:
    """Where one thread writes what it makes of every bar."""

    def __init__(self, count: int) -> None:
        self.position, self.earned, self.equity, self.other = np.empty((4, count))
        self.flags = np.empty(count, bool)


def dense_figures(
    market: DenseMarket, room: Room, bars: Bars, values: Floats
) -> tuple[dict[str, float], Sessions]:
    """
    Return the figures of one strategy without cost over all bars, and what its sessions were.

    Args:
        bars: at which its signal changes; it earns from the next one on.
        values: what the signal changes to.
    """
    position, earned, equity, changes = room.position, room.earned, room.equity, room.other
    edges = np.concatenate(([0], bars + 1, [market.count]))
    position[:] = np.repeat(np.concatenate(([0.0], values)), np.diff(edges))
    np.multiply(position, market.returns, out=earned)
    np.add(earned, 1.0, out=equity)
    np.cumprod(equity, out=equity)
    changes[0] = abs(position[0])
    np.abs(np.subtract(position[1:], position[:-1], out=changes[1:]), out=changes[1:])
    closes = equity[market.ends]
    returns = np.empty(len(closes))
    returns[0] = closes[0] - 1
    returns[1:] = closes[1:] / closes[:-1] - 1
    overnight = position[market.starts] * market.gap
    turnover = np.add.reduceat(changes, market.starts)
    np.not_equal(position, 0, out=room.flags)
    held = np.add.reduceat(room.flags, market.starts, dtype=np.int64)

    sum_of_changes, gross = turnover.sum(), earned.sum()
    net_exposure, mean = position.mean(), gross / market.count
    variance = (np.square(earned, out=room.other).sum() - market.count * mean**2) / (
        market.count - 1
    )
    figures = {
        "start_bar": 0,
        "bar_count": market.count,
        "sessions": len(returns),
        "total_return": equity[-1] - 1,
        "sharpe_bar": mean / np.sqrt(variance) * np.sqrt(market.bars_per_year),
        "exposure": np.abs(position, out=room.other).mean(),
        "net_exposure": net_exposure,
        "time_in_market": held.sum() / market.count,
        "turnover": sum_of_changes / market.count * market.bars_per_year,
        "breakeven_cost_bps": gross / sum_of_changes * 1e4,
        "overnight_share": overnight.sum() / gross,
    }
    figures |= _of_sessions(market, returns, equity[-1], net_exposure)
    figures |= _drawdown(equity, room)
    figures["calmar"] = figures["annual_return"] / -figures["max_drawdown"]
    figures |= _trades(position, equity, room)
    return figures, (returns, overnight, turnover, held)


def _of_sessions(
    market: DenseMarket, returns: Floats, equity: float, net_exposure: float
) -> dict[str, float]:
    count, other = len(returns), market.benchmark
    mean, deviation = returns.mean(), returns.std(ddof=1)
    other_mean, other_deviation = other.mean(), other.std(ddof=1)
    centred = returns - mean
    variance = (centred**2).mean()
    together = (centred * (other - other_mean)).sum() / (count - 1)
    beta = together / other_deviation**2
    scale = np.sqrt(market.sessions_per_year)
    return {
        "annual_return": equity ** (market.sessions_per_year / count) - 1,
        "volatility": deviation * scale,
        "sharpe": mean / deviation * scale,
        "sharpe_session": mean / deviation,
        "sortino": mean / np.sqrt((np.minimum(returns, 0) ** 2).mean()) * scale,
        "skew": (centred**3).mean() / variance**1.5,
        "kurtosis": (centred**4).mean() / variance**2,
        "benchmark_return": np.prod(1 + other) - 1,
        "benchmark_sharpe": other_mean / other_deviation * scale,
        "beta": beta,
        "alpha": (mean - beta * other_mean) * market.sessions_per_year,
        "correlation": together / (deviation * other_deviation),
        "drift_sharpe": net_exposure * other_mean / deviation,
    }


def _drawdown(equity: Floats, room: Room) -> dict[str, float]:
    """Return the deepest fall, and the bars from the last at its peak to the first back there."""
    peak = np.maximum.accumulate(equity, out=room.other)
    np.maximum(peak, 1.0, out=peak)
    below = np.divide(equity, peak, out=room.earned)
    deepest = below.min()
    trough = int(np.argmax(np.less_equal(below, deepest * (1 + LEVEL), out=room.flags)))
    top = peak[trough] * (1 - LEVEL)
    near = np.greater_equal(equity, top, out=room.flags)
    before, back = np.flatnonzero(near[:trough]), int(np.argmax(near[trough:]))
    left = int(before[-1]) if len(before) else -1
    right = trough + back if back else len(equity) - 1
    return {"max_drawdown": deepest - 1, "drawdown_bars": right - left}


def _trades(position: Floats, equity: Floats, room: Room) -> dict[str, float]:
    """Return how many stretches of one sign there are, how they ended, how long they were."""
    sign = np.sign(position, out=room.other)
    turns = np.not_equal(sign[1:], sign[:-1], out=room.flags[1:])
    heads = np.concatenate(([0], np.flatnonzero(turns) + 1))
    bounds = np.append(heads, len(sign))
    before = np.concatenate(([1.0], equity[heads[1:] - 1]))
    net = equity[bounds[1:] - 1] / before - 1
    net[np.abs(net) <= LEVEL] = 0.0
    in_market = sign[heads] != 0
    closed = net[:-1][in_market[:-1]]
    losses = -closed[closed < 0].sum()
    return {
        "trades": np.count_nonzero(in_market),
        "hit_rate": np.count_nonzero(closed > 0) / len(closed) if len(closed) else np.nan,
        "profit_factor": closed[closed > 0].sum() / losses if losses > 0 else np.nan,
        "mean_holding": np.diff(bounds)[in_market].mean(),
    }
