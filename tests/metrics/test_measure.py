"""Figures from changes are those of the dense computation, whatever the strategy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.metrics import paths
from catalog.metrics.holdings import clip, holdings_of_changes
from catalog.metrics.market import Market
from catalog.metrics.measure import measure
from catalog.metrics.prefix import Prefix
from catalog.metrics.terms import Terms
from dense import dense_figures
from markets import price_series

SIZES = ([-1, 0, 1], [0, 1], [-0.5, 0, 0.3, 1, 2], list(np.linspace(-1, 1, 41)))


def some_strategies(seed: int, count: int, bars: int, *, sizes, share: float):
    """Changes of some strategies, each over a range of its own."""
    random = np.random.default_rng(seed)
    at, values, first, last = [], [], [], []
    for _ in range(count):
        low = int(random.integers(0, bars - 1))
        high = int(random.integers(low, bars))
        length = high - low + 1
        many = min(length, max(0, int(share * length)) + int(random.integers(0, 2)))
        at.append(low + np.sort(random.choice(length, many, replace=False)))
        values.append(random.choice(sizes, many).astype(float))
        first.append(low)
        last.append(high)
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in at])))
    return np.concatenate(at), np.concatenate(values), offsets, np.array(first), np.array(last)


def assert_same(found, wanted, name, *, rounding=2e-13):
    found, wanted = (
        np.atleast_1d(np.asarray(found, float)),
        np.atleast_1d(np.asarray(wanted, float)),
    )
    assert np.array_equal(np.isnan(found), np.isnan(wanted)), (name, found, wanted)
    # What prices that come back to the same tick leave is rounding in the dense computation.
    # What is divided by next to nothing is great, and inexact on both sides.
    rtol = 1e-9 if np.nanmax(np.abs(wanted), initial=0.0) < 1e3 else 1e-6
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rounding, err_msg=name)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    bars=st.integers(2, 1500),
    sizes=st.sampled_from(SIZES),
    share=st.sampled_from([0.002, 0.02, 0.3, 0.9]),
    cost=st.sampled_from([0.0, 1.5]),
    fill=st.sampled_from(["close", "next_open"]),
    part=st.sampled_from(["all", "oos"]),
)
def test_every_figure_is_that_of_the_dense_computation(seed, bars, sizes, share, cost, fill, part):
    series = price_series(bars, seed=seed % 7)
    at, values, offsets, first, last = some_strategies(seed, 5, bars, sizes=sizes, share=share)
    holdings = holdings_of_changes(at, values, offsets=offsets, first=first, last=last)
    start = first
    if part == "oos":
        start = (first + last) // 2
        holdings = clip(holdings, start, last)

    made = measure(holdings, Market(series), Terms(cost, fill))

    for row in range(len(first)):
        wanted = dense_figures(
            series,
            at[offsets[row] : offsets[row + 1]],
            values[offsets[row] : offsets[row + 1]],
            first=first[row],
            last=last[row],
            start=start[row],
            cost_bps=cost,
            fill=fill,
        )
        low, high = made.sessions.offsets[row : row + 2]
        assert_same(made.sessions.net[low:high], wanted.pop("returns"), "net")
        assert_same(made.sessions.turnover[low:high], wanted.pop("session_turnover"), "turnover")
        assert_same(made.sessions.bars_held[low:high], wanted.pop("bars_held"), "bars_held")
        for name, value in wanted.items():
            # Ratios of differences of nearly equal numbers lose digits on both sides.
            assert_same(made.figures[name][row], value, name, rounding=1e-10)


@pytest.fixture
def tables_at_once(monkeypatch):
    monkeypatch.setattr(paths, "_TABLE_WORTH", 0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bars=st.integers(2, 600), position=st.floats(-2, 2))
def test_the_sparse_table_knows_the_path_between_any_two_bars(seed, bars, position):
    random = np.random.default_rng(seed)
    returns = random.normal(0, 0.02, bars)
    start = random.integers(0, bars, 50)
    end = random.integers(start, bars)
    table = paths._Extremes(Prefix(paths._log(position * returns)).rounded)

    high, low, fall = table.of(start, end)

    for row in range(50):
        path = np.cumsum(np.log1p(position * returns[start[row] : end[row] + 1]))
        assert high[row] == pytest.approx(path.max(), abs=1e-12)
        assert low[row] == pytest.approx(path.min(), abs=1e-12)
        deepest = (np.maximum.accumulate(path) - path).max()
        assert fall[row] == pytest.approx(deepest, abs=1e-12)


def test_tables_and_single_bars_give_the_same_drawdowns(tables_at_once):
    series = price_series(3000, seed=4)
    at, values, offsets, first, last = some_strategies(1, 30, 3000, sizes=[-1, 0, 1], share=0.05)
    holdings = holdings_of_changes(at, values, offsets=offsets, first=first, last=last)
    with_tables = measure(holdings, Market(series), Terms()).figures
    paths._TABLE_WORTH = 1e9

    without = measure(holdings, Market(series), Terms()).figures

    for name in ("max_drawdown", "drawdown_bars", "total_return"):
        np.testing.assert_allclose(with_tables[name], without[name], rtol=1e-10, atol=1e-13)


@given(
    values=st.lists(st.floats(-1e-3, 1e-3), min_size=1, max_size=60),
    scale=st.sampled_from([1.0, 1e6]),
)
def test_a_difference_of_prefix_sums_keeps_what_a_great_sum_before_it_would_swallow(values, scale):
    import math

    made = Prefix(np.array([scale, *values]))

    assert made.between(np.array([1]), np.array([len(values) + 1]))[0][0] == pytest.approx(
        math.fsum(values), rel=1e-12, abs=1e-22
    )


def test_session_returns_compound_to_the_total_return():
    series = price_series(4000, seed=2)
    at, values, offsets, first, last = some_strategies(3, 40, 4000, sizes=[-1, 0.5, 1], share=0.02)

    made = measure(
        holdings_of_changes(at, values, offsets=offsets, first=first, last=last),
        Market(series),
        Terms(2.0),
    )

    for row in range(40):
        low, high = made.sessions.offsets[row : row + 2]
        compounded = np.prod(1 + made.sessions.net[low:high]) - 1
        assert compounded == pytest.approx(made.figures["total_return"][row], abs=1e-12)
