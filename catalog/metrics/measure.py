"""
Every figure of many strategies on one price series, from their holdings.

Between two changes a position is constant, so each holding contributes with a few look-ups,
however many bars it has: sums of returns and of their squares are differences of prefix sums,
growth and drawdown come from `paths`. The definitions are those of the README's "Numbers".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.drawdown import Drawdowns, find_drawdowns
from catalog.metrics.holdings import Holdings
from catalog.metrics.market import Market
from catalog.metrics.notes import (
    FLAT,
    NEVER_CLOSED,
    NO_DEVIATION,
    NO_OPEN,
    NO_PRICE,
    RUIN,
    TOO_FEW_SESSIONS,
    Notes,
)
from catalog.metrics.prefix import Prefix, grouped_sums
from catalog.metrics.ratios import Ratios, session_ratios
from catalog.metrics.sessions import SessionReturns, session_returns
from catalog.metrics.terms import Corrections, Terms, correct
from catalog.metrics.trades import TradeFigures, trade_figures

Floats = NDArray[np.float64]

FEWEST_SESSIONS = 20
"""With fewer, nothing is annualised."""


@dataclass(frozen=True, eq=False)
class Measured:
    """
    Figures by name, (strategies,) each, NaN where undefined; why, in `notes`; session returns.

    Where a strategy's prices are missing or it was ruined, its session returns are NaN.
    """

    figures: dict[str, NDArray[Any]]
    notes: Notes
    sessions: SessionReturns


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over each strategy, (strategies,) each: of bars, sizes, changes and returns."""

    bars: Floats
    exposure: Floats
    net_exposure: Floats
    held: Floats
    turnover: Floats
    gross: Floats
    net: Floats
    squares: Floats


def measure(
    holdings: Holdings, market: Market, terms: Terms, *, benchmark: Floats | None = None
) -> Measured:
    """
    Return the figures of strategies over their ranges.

    Args:
        holdings: on the bars of the market.
        benchmark: what buying and holding earned in the same sessions, where that is not what
            it earned over the whole ranges.
    """
    corrections = correct(holdings, market, terms)
    # Where nothing is paid, a bar without a position is like one that is not there.
    moving = holdings if corrections else holdings.in_market()
    with np.errstate(over="ignore", invalid="ignore"):  # Of those that are ruined.
        growth, gross, squares = market.paths.totals(moving.position, moving.start, moving.end)
    log = np.zeros(len(growth)) if corrections is None else corrections.log
    if corrections is not None:
        growth += log
    equity, total = Prefix(growth).within(moving.offsets)
    sessions = session_returns(
        moving,
        market.paths,
        grid=market.grid,
        equity=equity,
        correction=log,
        every=holdings,
        fills_at_open=terms.fill == "next_open",
    )
    drawdowns = find_drawdowns(moving, market.paths, equity=equity, correction=log)
    trades = trade_figures(moving, growth, corrections.closing if corrections else None)
    if benchmark is None:
        benchmark = market.buy_and_hold(holdings)
    ratios = session_ratios(sessions.net, benchmark, sessions.offsets)
    sums = _sum(holdings, moving, market, corrections, gross, squares)
    figures = _figures(holdings, market, sums, total, sessions, drawdowns, trades, ratios)
    _add_benchmark(figures, benchmark, sessions, ratios, market)
    notes = _note(figures, holdings, market, corrections, sessions)
    return Measured(figures, notes, sessions)


def _sum(
    holdings: Holdings,
    moving: Holdings,
    market: Market,
    corrections: Corrections | None,
    gross: Floats,
    squares: Floats,
) -> _Sums:
    net = gross
    if corrections is not None:
        # With a correction c a bar returns r + c, and its square is r² + c·(2r + c).
        first = holdings.position * market.returns[holdings.start]
        squares = squares + corrections.returns * (2 * first + corrections.returns)
        net, gross = gross + corrections.returns, gross + corrections.gross
    sized = np.abs(moving.position) * moving.bars
    summed = [
        grouped_sums(values, moving.offsets)
        for values in (
            sized,
            moving.position * moving.bars,
            np.where(moving.position != 0.0, moving.bars, 0.0),
            gross,
            net,
            squares,
        )
    ]
    exposure, net_exposure, held, gross, net, squares = summed
    bars = grouped_sums(holdings.bars, holdings.offsets).astype(np.float64)
    turnover = grouped_sums(holdings.changes, holdings.offsets)
    return _Sums(bars, exposure, net_exposure, held, turnover, gross, net, squares)


def _figures(
    holdings: Holdings,
    market: Market,
    sums: _Sums,
    total: Floats,
    sessions: SessionReturns,
    drawdowns: Drawdowns,
    trades: TradeFigures,
    ratios: Ratios,
) -> dict[str, NDArray[Any]]:
    count = np.diff(sessions.offsets)
    bars, turnover = sums.bars, sums.turnover
    scale = np.sqrt(market.sessions_per_year)
    overnight = grouped_sums(sessions.overnight, sessions.offsets)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = sums.net / bars
        variance = (sums.squares - bars * mean**2) / (bars - 1)
        variance[~(variance * (bars - 1) > 1e-13 * sums.squares)] = np.nan
        annual_return = np.expm1(total * market.sessions_per_year / count)
        deepest = np.where(drawdowns.depth < 0, drawdowns.depth, np.nan)
        figures = {
            "start_bar": holdings.first,
            "bar_count": bars.astype(np.int64),
            "sessions": count,
            "total_return": np.expm1(total),
            "annual_return": annual_return,
            "volatility": ratios.deviation * scale,
            "sharpe": ratios.sharpe * scale,
            "sharpe_bar": mean / np.sqrt(variance) * np.sqrt(market.bars_per_year),
            "sharpe_session": ratios.sharpe,
            "sortino": ratios.sortino * scale,
            "calmar": annual_return / -deepest,
            "max_drawdown": drawdowns.depth,
            "drawdown_bars": drawdowns.bars,
            "exposure": sums.exposure / bars,
            "net_exposure": sums.net_exposure / bars,
            "time_in_market": sums.held / bars,
            "turnover": turnover / bars * market.bars_per_year,
            "trades": trades.trades,
            "hit_rate": trades.hit_rate,
            "profit_factor": trades.profit_factor,
            "mean_holding": trades.mean_holding,
            "breakeven_cost_bps": sums.gross / np.where(turnover > 0, turnover, np.nan) * 1e4,
            "overnight_share": overnight / np.where(sums.gross != 0, sums.gross, np.nan),
            "skew": ratios.skew,
            "kurtosis": ratios.kurtosis,
        }
    if not market.grid.knows_gaps:
        figures["overnight_share"][:] = np.nan
    return figures


def _add_benchmark(
    figures: dict[str, NDArray[Any]],
    benchmark: Floats,
    sessions: SessionReturns,
    ratios: Ratios,
    market: Market,
) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = grouped_sums(np.log1p(benchmark), sessions.offsets)
        mean = grouped_sums(benchmark, sessions.offsets) / np.diff(sessions.offsets)
        figures |= {
            "benchmark_return": np.expm1(growth),
            "benchmark_sharpe": ratios.benchmark_sharpe * np.sqrt(market.sessions_per_year),
            "beta": ratios.beta,
            "alpha": ratios.alpha * market.sessions_per_year,
            "correlation": ratios.correlation,
            "drift_sharpe": figures["net_exposure"] * mean / ratios.deviation,
        }


ANNUALISED = (
    "annual_return", "volatility", "sharpe", "sharpe_bar", "sortino", "calmar", "turnover",
    "benchmark_sharpe", "alpha",
)  # fmt: skip
_KEPT_WITHOUT_RETURNS = frozenset(
    {
        "start_bar", "bar_count", "sessions", "exposure", "net_exposure", "time_in_market",
        "turnover", "trades", "mean_holding", "benchmark_return", "benchmark_sharpe",
    }
)  # fmt: skip


def _note(
    figures: dict[str, NDArray[Any]],
    holdings: Holdings,
    market: Market,
    corrections: Corrections | None,
    sessions: SessionReturns,
) -> Notes:
    """Take out what has no meaning, and say why."""
    notes = Notes(holdings.strategies)
    unpriced = market.unpriced_bars(holdings) > 0
    notes.add(unpriced, NO_PRICE)
    ruins = market.is_ruin(holdings)
    unfilled = np.zeros(holdings.strategies, bool)
    if corrections is not None:
        ruins |= corrections.is_ruin
        unfilled = _of(holdings, corrections.lacks_open)
        notes.add(unfilled, NO_OPEN)
    ruined = _of(holdings, ruins)
    notes.add(ruined, RUIN)
    without_returns = unpriced | unfilled | ruined
    few = figures["sessions"] < FEWEST_SESSIONS
    notes.add(few, TOO_FEW_SESSIONS)
    flat = (figures["time_in_market"] == 0) & ~without_returns
    notes.add(flat, FLAT)
    constant = np.isnan(figures["sharpe_session"]) & ~few & ~flat & ~without_returns
    notes.add(constant, NO_DEVIATION)
    open_only = (figures["trades"] == 1) & np.isnan(figures["hit_rate"]) & ~without_returns
    notes.add(open_only, NEVER_CLOSED)
    figures["drawdown_bars"] = figures["drawdown_bars"].astype(np.float64)
    for name, values in figures.items():
        if values.dtype == np.float64:
            if name in ANNUALISED:
                values[few] = np.nan
            if name not in _KEPT_WITHOUT_RETURNS:
                values[without_returns] = np.nan
            values[~np.isfinite(values)] = np.nan
    for row in np.flatnonzero(without_returns).tolist():
        sessions.net[sessions.offsets[row] : sessions.offsets[row + 1]] = np.nan
    return notes


def _of(holdings: Holdings, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which strategies have one of these holdings."""
    found = np.zeros(holdings.strategies, bool)
    found[holdings.strategy[rows]] = True
    return found
