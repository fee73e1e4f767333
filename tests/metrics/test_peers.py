"""The figures are those of libraries that people know, where the definitions meet."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from catalog.metrics.holdings import holdings_of_changes
from catalog.metrics.market import Market
from catalog.metrics.measure import Measured, measure
from catalog.metrics.terms import Terms
from markets import price_series

SESSIONS = 260


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(price_series(SESSIONS * 20, per_session=20, seed=5, tick=6))


@pytest.fixture(scope="module")
def signals(market) -> np.ndarray:
    """Ten strategies, (bars, 10), long, flat and short."""
    random = np.random.default_rng(1)
    bars = len(market.returns)
    made = np.zeros((bars, 10))
    for one in range(10):
        at = np.sort(random.choice(bars, 120, replace=False))
        values = np.append(0.0, random.choice([-1.0, 0.0, 1.0], 120))
        made[:, one] = values[np.searchsorted(at, np.arange(bars), "right")]
    return made


def measured(signals: np.ndarray, market: Market, *, cost_bps: float = 0.0) -> Measured:
    at = [np.flatnonzero(np.diff(one, prepend=0)) for one in signals.T]
    count = signals.shape[1]
    holdings = holdings_of_changes(
        np.concatenate(at),
        np.concatenate([one[rows] for one, rows in zip(signals.T, at, strict=True)]),
        offsets=np.concatenate(([0], np.cumsum([len(one) for one in at]))),
        first=np.zeros(count, int),
        last=np.full(count, len(signals) - 1),
    )
    return measure(holdings, market, Terms(cost_bps))


def session_series(made: Measured, row: int) -> pd.Series:
    low, high = made.sessions.offsets[row : row + 2]
    days = pd.bdate_range("2023-01-02", periods=high - low)
    return pd.Series(made.sessions.net[low:high], days)


def test_ratios_of_session_returns_are_quantstats(market, signals):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = pytest.importorskip("quantstats").stats
        made = measured(signals, market)
        for row in range(10):
            returns = session_series(made, row)
            figures = {name: values[row] for name, values in made.figures.items()}

            assert figures["sharpe"] == pytest.approx(stats.sharpe(returns, periods=252), rel=1e-9)
            assert figures["sortino"] == pytest.approx(
                stats.sortino(returns, periods=252), rel=1e-9
            )
            assert figures["volatility"] == pytest.approx(
                stats.volatility(returns, periods=252, prepare_returns=False), rel=1e-9
            )
            assert figures["total_return"] == pytest.approx(stats.comp(returns), rel=1e-9)


def test_ratios_of_session_returns_are_empyricals(market, signals):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = pytest.importorskip("empyrical")
        made = measured(signals, market)
        benchmark = session_series(measured(np.ones((len(signals), 1)), market), 0)
        for row in range(10):
            returns = session_series(made, row)
            figures = {name: values[row] for name, values in made.figures.items()}

            assert figures["sharpe"] == pytest.approx(stats.sharpe_ratio(returns), rel=1e-9)
            assert figures["annual_return"] == pytest.approx(stats.annual_return(returns), rel=1e-9)
            assert figures["beta"] == pytest.approx(stats.beta(returns, benchmark), rel=1e-9)
            assert figures["volatility"] == pytest.approx(
                stats.annual_volatility(returns), rel=1e-9
            )


def test_moments_are_scipys(market, signals):
    stats = pytest.importorskip("scipy.stats")
    made = measured(signals, market)
    for row in range(10):
        returns = session_series(made, row).to_numpy()

        assert made.figures["skew"][row] == pytest.approx(stats.skew(returns), rel=1e-9)
        assert made.figures["kurtosis"][row] == pytest.approx(
            stats.kurtosis(returns, fisher=False), rel=1e-9
        )


@pytest.fixture(scope="module")
def vectorbts(market, signals) -> tuple[np.ndarray, np.ndarray]:
    """Total returns and largest drawdowns of four without costs, as vectorbt has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vectorbt = pytest.importorskip("vectorbt")
        # A position of one share of equity, rebalanced at every close, as a target in percent.
        days = pd.date_range("2023-01-02", periods=len(signals), freq="min")
        close = pd.Series(market.series.close, days)
        portfolio = vectorbt.Portfolio.from_orders(
            close,
            size=pd.DataFrame(signals[:, :4], index=days),
            size_type="targetpercent",
            fees=0.0,
            init_cash=1e9,
            freq="1min",
        )
        return portfolio.total_return().to_numpy(), portfolio.max_drawdown().to_numpy()


@pytest.mark.parametrize("cost_bps", [0.0, 2.0])
def test_returns_and_drawdowns_are_vectorbts_ordered_at_every_bar(
    market, signals, vectorbts, cost_bps
):
    total, drawdown = vectorbts
    signals = signals[:, :4]

    made = measured(signals, market, cost_bps=cost_bps)

    if cost_bps == 0.0:
        np.testing.assert_allclose(made.figures["total_return"], total, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(made.figures["max_drawdown"], drawdown, rtol=1e-9, atol=1e-11)
    else:
        # Costs make every return less: by about cost times turnover.
        lost = np.log1p(total) - np.log1p(made.figures["total_return"])
        turnover = np.abs(np.diff(signals, axis=0)).sum(axis=0)
        np.testing.assert_allclose(lost, turnover * cost_bps / 1e4, rtol=1e-3)


def test_ratios_are_ffns(market, signals):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ffn = pytest.importorskip("ffn")
        made = measured(signals, market)
        for row in range(3):
            returns = session_series(made, row)
            assert made.figures["sharpe"][row] == pytest.approx(
                ffn.calc_sharpe(returns, nperiods=252), rel=1e-9
            )
