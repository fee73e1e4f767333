"""The same figures the plain way: one strategy, one value per bar, no prefix sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LEVEL = 1e-12


def dense_positions(bars, values, *, first: int, last: int, count: int) -> np.ndarray:
    """The position at each bar: the value in force at the bar before, 0 before the first row."""
    signal = np.zeros(count)
    for bar, value in zip(bars, values, strict=True):
        signal[bar:] = value
    signal[:first] = 0
    position = np.zeros(count)
    position[1:] = signal[:-1]
    position[: first + 1] = 0
    return position[: last + 1]


def bar_returns(series, position, *, cost_bps=0.0, fill="close"):
    """Return r_p of each bar, net of cost, and the gross one."""
    close, opening = series.close, series.open
    net, gross = np.zeros(len(position)), np.zeros(len(position))
    for t in range(1, len(position)):
        new, old = position[t], position[t - 1]
        r = close[t] / close[t - 1] - 1
        if new == 0 and old == 0:
            continue
        if fill == "next_open" and new != old:
            before = old * (opening[t] / close[t - 1] - 1)
            gross[t] = (1 + before) * (1 + new * (close[t] / opening[t] - 1)) - 1
        else:
            gross[t] = new * r if new else 0.0
        net[t] = gross[t] - cost_bps / 1e4 * abs(new - old)
    return net, gross


def dense_figures(
    series, bars, values, *, first, last, start=None, cost_bps=0.0, fill="close"
) -> dict[str, Any]:
    """
    Return the figures of one strategy over the bars from `start` (its first one) to `last`.

    `bars` count in the series.
    """
    start = first if start is None else start
    position = dense_positions(bars, values, first=first, last=last, count=len(series.close))
    net, gross = bar_returns(series, position, cost_bps=cost_bps, fill=fill)
    window = slice(start, last + 1)
    held, earned = position[window], net[window]
    changes = np.abs(np.diff(position, prepend=0.0))[window]
    if start > first:
        changes[0] = abs(position[start] - position[start - 1])
    sessions = series.session[window]
    returns, benchmark, turnover, bars_held = [], [], [], []
    market = np.zeros(len(series.close))
    market[1:] = series.close[1:] / series.close[:-1] - 1
    market[first] = 0.0
    for session in np.unique(sessions):
        inside = sessions == session
        returns.append(np.prod(1 + earned[inside]) - 1)
        benchmark.append(np.prod(1 + market[window][inside]) - 1)
        turnover.append(changes[inside].sum())
        bars_held.append(int((held[inside] != 0).sum()))
    returns, benchmark = _snapped(returns), _snapped(benchmark)
    count, size = len(returns), len(held)
    few = count < 20
    scale = math.sqrt(series.sessions_per_year)
    equity = np.concatenate(([1.0], np.cumprod(1 + earned)))
    depth, drawdown_bars = _drawdown(equity)
    trades, wins, losses, closed = _trades(position, net, start, last, cost_bps, fill, series)
    deviation = _deviation(returns)
    total = equity[-1] - 1
    annual = (1 + total) ** (series.sessions_per_year / count) - 1
    centred = returns - returns.mean()
    variance = (centred**2).mean()
    other = benchmark - benchmark.mean()
    other_deviation = _deviation(benchmark)
    beta = _ratio((centred * other).sum() / max(count - 1, 1), other_deviation**2)
    downside = math.sqrt((np.minimum(returns, 0) ** 2).mean())
    bar_deviation = _deviation(earned)
    figures = {
        "total_return": total,
        "annual_return": annual,
        "volatility": deviation * scale,
        "sharpe": _ratio(returns.mean(), deviation) * scale,
        "sharpe_bar": _ratio(earned.mean(), bar_deviation) * math.sqrt(series.bars_per_year),
        "sharpe_session": _ratio(returns.mean(), deviation),
        "sortino": _ratio(returns.mean(), downside) * scale,
        "calmar": _ratio(annual, -depth),
        "max_drawdown": depth,
        "drawdown_bars": drawdown_bars,
        "exposure": np.abs(held).mean(),
        "net_exposure": held.mean(),
        "time_in_market": (held != 0).mean(),
        "turnover": changes.sum() / size * series.bars_per_year,
        "trades": trades,
        "hit_rate": _ratio(wins, closed),
        "profit_factor": losses,
        "skew": _ratio((centred**3).mean(), variance**1.5) if deviation > 0 else math.nan,
        "kurtosis": _ratio((centred**4).mean(), variance**2) if deviation > 0 else math.nan,
        "breakeven_cost_bps": _ratio(gross[window].sum(), changes.sum()) * 1e4,
        "benchmark_return": np.prod(1 + benchmark) - 1,
        "benchmark_sharpe": _ratio(benchmark.mean(), other_deviation) * scale,
        "beta": beta,
        "alpha": (returns.mean() - beta * benchmark.mean()) * series.sessions_per_year,
        "correlation": _ratio(
            (centred * other).sum() / max(count - 1, 1), deviation * other_deviation
        ),
    }
    if few:
        for name in ANNUALISED:
            figures[name] = math.nan
    return figures | {
        "returns": returns,
        "session_turnover": np.array(turnover),
        "bars_held": np.array(bars_held),
        "start_bar": start,
        "bar_count": size,
        "sessions": count,
    }


ANNUALISED = (
    "annual_return", "volatility", "sharpe", "sharpe_bar", "sortino", "calmar", "turnover",
    "benchmark_sharpe", "alpha",
)  # fmt: skip


def _snapped(returns):
    returns = np.array(returns)
    return np.where(np.abs(returns) < 1e-13, 0.0, returns)


def _ratio(above, below):
    return above / below if below and not math.isnan(below) and below > 0 else math.nan


def _deviation(values):
    if len(values) < 2 or np.ptp(values) == 0:
        return math.nan
    return values.std(ddof=1)


def _drawdown(equity):
    log = np.log(equity)
    peak = np.maximum.accumulate(log)
    fall = peak - log
    deepest = fall.max()
    if deepest <= LEVEL:
        return 0.0, 0
    trough = int(np.argmax(fall >= deepest - LEVEL))
    top = peak[trough]
    left = int(np.flatnonzero(log[:trough] >= top - LEVEL)[-1])
    back = np.flatnonzero(log[trough:] >= top - LEVEL)
    right = trough + int(back[0]) if len(back) else len(log) - 1
    return math.expm1(-deepest), right - left


def _trades(position, net, start, last, cost_bps, fill, series):
    """Return how many trades there are, won, the profit factor, and how many are closed."""
    cost = cost_bps / 1e4
    nets, opened, growth = [], None, 1.0
    open_at_end = False
    count = 0
    for t in range(start, last + 1):
        new = position[t]
        old = position[t - 1] if t > start else (new if start > 0 else 0.0)
        if t == start and start > 0 and position[start - 1] == 0:
            old = 0.0
        factor = 1 + net[t]
        if opened is not None and np.sign(new) != np.sign(old):
            before = 0.0
            if fill == "next_open":
                before = old * (series.open[t] / series.close[t - 1] - 1)
            closing = 1 + before - cost * abs(old)
            nets.append(growth * closing - 1)
            factor /= closing
            opened, growth = None, 1.0
        if new != 0 and opened is None:
            opened, count, growth = t, count + 1, 1.0
        if opened is not None:
            growth *= factor
    open_at_end = opened is not None
    nets = np.array([0.0 if abs(one) <= LEVEL else one for one in nets])
    gains, losses = nets[nets > 0].sum(), -nets[nets < 0].sum()
    del open_at_end
    return count, int((nets > 0).sum()), _ratio(gains, losses), len(nets)
