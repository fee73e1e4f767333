"""
Every figure of many strategies on one price series, from their holdings.

Between two changes a position is constant, so each holding contributes with a few look-ups,
however many bars it has: sums of returns and of their squares are differences of prefix sums,
growth and drawdown come from `paths`. The definitions are those of the README's "Numbers".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.drawdown import find_drawdowns
from catalog.metrics.holdings import Holdings
from catalog.metrics.market import Market
from catalog.metrics.notes import (
    NO_DEVIATION,
    NO_PRICE,
    RUIN,
    TOO_FEW_SESSIONS,
    Notes,
)
from catalog.metrics.prefix import Prefix, grouped_sums
from catalog.metrics.ratios import session_ratios
from catalog.metrics.sessions import SessionReturns, session_returns
from catalog.metrics.trades import trade_figures

Floats = NDArray[np.float64]

FEWEST_SESSIONS = 20
"""With fewer, nothing is annualised."""


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
class Measured:
    """
    Figures by name, (strategies,) each, NaN where undefined; why, in `notes`; session returns.

    Where a strategy's prices are missing or it was ruined, its session returns are NaN.
    """

    figures: dict[str, NDArray]  # type: ignore[type-arg]
    notes: Notes
    sessions: SessionReturns


@dataclass(frozen=True, eq=False)
class _Corrections:
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


def measure(
    holdings: Holdings, market: Market, terms: Terms, *, benchmark: SessionReturns | None = None
) -> Measured:
    """
    Return the figures of strategies over their ranges.

    Args:
        holdings: on the bars of the market.
        benchmark: what buying and holding earned in the same sessions, where that is not what
            it earned over the whole ranges.
    """
    notes = Notes(holdings.strategies)
    corrections = _correct(holdings, market, terms)
    offsets = holdings.offsets
    growth = market.paths.growth(holdings.position, holdings.start, holdings.end)
    growth += corrections.log
    equity, total = _equity(growth, offsets)
    sessions = session_returns(
        holdings,
        market.paths,
        grid=market.grid,
        equity=equity,
        correction=corrections.log,
        fills_at_open=terms.fill == "next_open",
    )
    drawdowns = find_drawdowns(holdings, market.paths, equity=equity, correction=corrections.log)
    trades = trade_figures(holdings, growth, corrections.closing)
    benchmark = market.buy_and_hold(holdings) if benchmark is None else benchmark
    ratios = session_ratios(sessions.net, benchmark.net, sessions.offsets)

    bars = grouped_sums(holdings.bars.astype(np.float64), offsets)
    size = np.abs(holdings.position)
    changed = np.abs(holdings.position - holdings.previous)
    turnover = grouped_sums(changed, offsets)
    gross, net, squares = _sums_of_returns(holdings, market, corrections)
    gross_sum = grouped_sums(gross, offsets)
    overnight = grouped_sums(sessions.overnight, sessions.offsets)
    count = np.diff(sessions.offsets)
    scale = np.sqrt(market.sessions_per_year)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean_bar = grouped_sums(net, offsets) / bars
        square = grouped_sums(squares, offsets)
        variance = (square - bars * mean_bar**2) / (bars - 1)
        variance[~(variance * (bars - 1) > 1e-13 * square)] = np.nan
        total_return = np.expm1(total)
        annual_return = np.expm1(total * market.sessions_per_year / count)
        exposure = grouped_sums(size * holdings.bars, offsets) / bars
        net_exposure = grouped_sums(holdings.position * holdings.bars, offsets) / bars
        deepest = np.where(drawdowns.depth < 0, drawdowns.depth, np.nan)
        benchmark_growth = grouped_sums(np.log1p(benchmark.net), benchmark.offsets)
        benchmark_mean = grouped_sums(benchmark.net, benchmark.offsets) / count
        figures: dict[str, NDArray] = {  # type: ignore[type-arg]
            "start_bar": holdings.first,
            "bar_count": bars.astype(np.int64),
            "sessions": count,
            "total_return": total_return,
            "annual_return": annual_return,
            "volatility": ratios.deviation * scale,
            "sharpe": ratios.sharpe * scale,
            "sharpe_bar": mean_bar / np.sqrt(variance) * np.sqrt(market.bars_per_year),
            "sharpe_session": ratios.sharpe,
            "sortino": ratios.sortino * scale,
            "calmar": annual_return / -deepest,
            "max_drawdown": drawdowns.depth,
            "drawdown_bars": drawdowns.bars,
            "exposure": exposure,
            "net_exposure": net_exposure,
            "time_in_market": grouped_sums(np.where(size > 0, holdings.bars, 0.0), offsets) / bars,
            "turnover": turnover / bars * market.bars_per_year,
            "trades": trades.trades,
            "hit_rate": trades.hit_rate,
            "profit_factor": trades.profit_factor,
            "mean_holding": trades.mean_holding,
            "breakeven_cost_bps": gross_sum / np.where(turnover > 0, turnover, np.nan) * 1e4,
            "overnight_share": overnight / np.where(gross_sum != 0, gross_sum, np.nan),
            "skew": ratios.skew,
            "kurtosis": ratios.kurtosis,
            "benchmark_return": np.expm1(benchmark_growth),
            "benchmark_sharpe": ratios.benchmark_sharpe * scale,
            "beta": ratios.beta,
            "alpha": ratios.alpha * market.sessions_per_year,
            "correlation": ratios.correlation,
            "drift_sharpe": net_exposure * benchmark_mean / ratios.deviation,
        }
    if not market.grid.knows_gaps:
        figures["overnight_share"][:] = np.nan
    _note(figures, notes, holdings, market, corrections, sessions)
    return Measured(figures, notes, sessions)


ANNUALISED = (
    "annual_return", "volatility", "sharpe", "sharpe_bar", "sortino", "calmar", "turnover",
    "benchmark_sharpe", "alpha",
)  # fmt: skip
_KEPT_WITHOUT_RETURNS = frozenset(
    {
        "start_bar", "bar_count", "sessions", "exposure", "net_exposure", "time_in_market",
        "turnover", "trades", "mean_holding",
    }
)  # fmt: skip


def _note(
    figures: dict[str, NDArray],  # type: ignore[type-arg]
    notes: Notes,
    holdings: Holdings,
    market: Market,
    corrections: _Corrections,
    sessions: SessionReturns,
) -> None:
    """Take out what has no meaning, and say why."""
    unpriced = market.unpriced_bars(holdings)
    notes.add(unpriced > 0, NO_PRICE)
    ruined = _strategies(holdings, corrections.is_ruin | market.is_ruin(holdings))
    notes.add(ruined, RUIN)
    without_returns = (unpriced > 0) | ruined
    few = figures["sessions"] < FEWEST_SESSIONS
    notes.add(few, TOO_FEW_SESSIONS)
    flat = (figures["time_in_market"] == 0) & ~without_returns
    notes.add(flat, "all flat: no position in the range")
    notes.add(~flat & ~few & np.isnan(figures["sharpe_session"]) & ~without_returns, NO_DEVIATION)
    open_only = (figures["trades"] == 1) & np.isnan(figures["hit_rate"])
    notes.add(open_only & ~without_returns, "its only trade is never closed")
    for name, values in figures.items():
        if values.dtype == np.float64:
            if name in ANNUALISED:
                values[few] = np.nan
            if name not in _KEPT_WITHOUT_RETURNS:
                values[without_returns] = np.nan
            values[~np.isfinite(values)] = np.nan
    for row in np.flatnonzero(without_returns).tolist():
        sessions.net[sessions.offsets[row] : sessions.offsets[row + 1]] = np.nan


def _strategies(holdings: Holdings, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which strategies have one of these holdings."""
    found = np.zeros(holdings.strategies, bool)
    found[holdings.strategy[rows]] = True
    return found


def _equity(growth: Floats, offsets: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the log equity before each holding, and at each strategy's end."""
    sums = Prefix(growth)
    begin = np.repeat(offsets[:-1], np.diff(offsets))
    before = sums.between(begin, np.arange(len(growth)))
    return before, sums.between(offsets[:-1], offsets[1:])


def _correct(holdings: Holdings, market: Market, terms: Terms) -> _Corrections:
    size = len(holdings.position)
    nothing = np.zeros(size)
    cost = terms.cost_bps / 1e4
    if cost == 0 and terms.fill == "close":
        return _Corrections(nothing, nothing, nothing, nothing, np.zeros(size, bool))
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
    made = _Corrections(
        np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size, bool)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        made.returns[changed] = factor - plain
        made.gross[changed] = gross
        made.log[changed] = np.log(factor / plain)
        made.closing[changed] = np.log(closing)
    made.is_ruin[changed] = (factor <= 0) | (closing <= 0)
    made.log[~np.isfinite(made.log)] = 0.0
    made.closing[~np.isfinite(made.closing)] = 0.0
    # Where the bar before is in no holding, nothing is closed.
    follows = np.zeros(size, bool)
    follows[1:] = holdings.start[1:] == holdings.end[:-1] + 1
    follows[holdings.offsets[:-1]] = False
    made.closing[~follows] = 0.0
    return made


def _sums_of_returns(
    holdings: Holdings, market: Market, corrections: _Corrections
) -> tuple[Floats, Floats, Floats]:
    """Return each holding's sum of gross bar returns, of net ones, and of their squares."""
    in_market = np.flatnonzero(holdings.position)
    position = holdings.position[in_market]
    start, stop = holdings.start[in_market], holdings.end[in_market] + 1
    gross, squares = np.zeros(len(holdings.position)), np.zeros(len(holdings.position))
    gross[in_market] = position * market.sums.between(start, stop)
    squares[in_market] = position * position * market.squares.between(start, stop)
    net = gross + corrections.returns
    first = holdings.position * market.returns[holdings.start]
    squares += corrections.returns * (2 * first + corrections.returns)
    return gross + corrections.gross, net, squares
