"""The demo: its prices are adjusted, its strategies see no future, and it runs to the end."""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog.catalog import Catalog
from catalog.demo.grid import Combination, combinations
from catalog.demo.prices import Prices, load_prices
from catalog.demo.run import DemoReport, run_demo
from catalog.demo.strategies import (
    STRATEGIES,
    moving_average,
    moving_deviation,
    relative_strength_index,
)
from catalog.errors import CatalogError

needs_prices = pytest.mark.skipif(
    find_spec("bokeh_sampledata") is None,
    reason="the prices are in bokeh-sampledata, which is not installed",
)

# Whole numbers in a narrow range, so that levels are crossed, touched and left often.
close = st.integers(1, 40).map(float)
closes = st.lists(close, min_size=1, max_size=280).map(np.array)

# Short enough to act within a few bars, where the grid's own would stay flat.
brisk = {
    "ma_crossover": st.builds(
        lambda fast, more: Combination("ma_crossover", {"fast": fast, "slow": fast + more}),
        st.integers(1, 4),
        st.integers(1, 6),
    ),
    "bollinger_bands": st.builds(
        lambda period, width: Combination("bollinger_bands", {"period": period, "std_dev": width}),
        st.integers(2, 6),
        st.sampled_from([0.5, 1.0, 2.0]),
    ),
    "rsi": st.builds(
        lambda period: Combination("rsi", {"period": period, "oversold": 30, "overbought": 70}),
        st.integers(1, 6),
    ),
    "momentum": st.builds(
        lambda back: Combination("momentum", {"lookback": back, "threshold": 0.05}),
        st.integers(1, 6),
    ),
}
each_type = pytest.mark.parametrize("strategy_type", STRATEGIES)


def combinations_of(strategy_type: str) -> st.SearchStrategy[Combination]:
    """The grid's combinations of one type, and brisker ones."""
    grid = [tried for tried in combinations() if tried.strategy_type == strategy_type]
    return brisk[strategy_type] | st.sampled_from(grid)


def price_return(prices: Prices, date: str) -> float:
    """Return what the close gained from the session before `date` to `date`."""
    [bar] = np.flatnonzero(prices.ts == np.datetime64(date))
    return float(prices.close[bar] / prices.close[bar - 1] - 1)


@pytest.fixture(scope="module")
def prices() -> dict[str, Prices]:
    return load_prices()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    return run_demo(tmp_path_factory.mktemp("demo"), say=lambda line: None)


@needs_prices
@pytest.mark.parametrize(
    ("symbol", "date"), [("AAPL", "2000-06-21"), ("AAPL", "2005-02-28"), ("MSFT", "2003-02-18")]
)
def test_a_two_for_one_split_is_no_loss_of_one_half(prices, symbol, date):
    assert abs(price_return(prices[symbol], date)) < 0.11


@needs_prices
def test_a_real_loss_of_one_half_is_kept(prices):
    # Apple warned of its earnings after the close of the day before.
    assert price_return(prices["AAPL"], "2000-09-29") == pytest.approx(-0.519, abs=0.001)


@needs_prices
def test_no_other_session_lost_a_fifth(prices):
    for series in prices.values():
        worst = np.sort(series.close[1:] / series.close[:-1] - 1)[:2]
        assert (worst[worst < -0.2].size, worst[1] > -0.2) == (series.symbol == "AAPL", True)


@needs_prices
def test_prices_are_whole_ordered_and_labelled_by_their_session_date(prices):
    assert list(prices) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    for symbol, series in prices.items():
        assert series.symbol == symbol
        assert series.ts.dtype == np.dtype("datetime64[us]")
        assert (series.ts == series.ts.astype("datetime64[D]")).all()
        assert (np.diff(series.ts) > np.timedelta64(0)).all()
        # Scaling may move a price that equals the high by a rounding error.
        body = np.stack([series.open, series.close])
        assert (series.low <= body.min(axis=0) * (1 + 1e-12)).all()
        assert (series.high >= body.max(axis=0) * (1 - 1e-12)).all()
        for column in (series.open, series.high, series.low, series.close, series.volume):
            assert column.dtype == np.float64
            assert column.shape == series.ts.shape
            assert (column > 0).all()


@needs_prices
def test_the_digest_tells_price_series_apart(prices):
    aapl = prices["AAPL"]
    closes = aapl.close.copy()
    closes[7] += 0.01

    changed = Prices("AAPL", aapl.ts, aapl.open, aapl.high, aapl.low, closes, aapl.volume)

    assert len(aapl.digest) == 64
    assert aapl.digest == load_prices()["AAPL"].digest
    assert len({series.digest for series in prices.values()} | {changed.digest}) == 6


def test_without_the_package_the_demo_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh_sampledata", None)

    with pytest.raises(CatalogError) as raised:
        load_prices()

    assert raised.value.hint == "pip install 'strategy-trace-catalog[demo]'"


@needs_prices
def test_a_package_without_the_prices_is_too_old(monkeypatch, tmp_path):
    (tmp_path / "bokeh_sampledata").mkdir()
    (tmp_path / "bokeh_sampledata" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "bokeh_sampledata", raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(CatalogError) as raised:
        load_prices()

    assert raised.value.hint == "pip install 'bokeh-sampledata>=2026.1'"


@each_type
@given(known=closes, later=closes, data=st.data())
def test_what_comes_after_a_bar_changes_no_position_up_to_it(strategy_type, known, later, data):
    combination = data.draw(combinations_of(strategy_type), label="combination")

    positions = combination.positions(np.concatenate([known, later]))

    # Nothing was known of `later` here, so no two continuations can differ either.
    assert np.array_equal(positions[: len(known)], combination.positions(known))


@each_type
@given(closes=closes, data=st.data())
def test_every_bar_has_a_position_that_is_long_flat_or_short(strategy_type, closes, data):
    combination = data.draw(combinations_of(strategy_type), label="combination")

    positions = combination.positions(closes)

    assert positions.dtype == np.float64
    assert positions.shape == closes.shape
    assert set(positions.tolist()) <= {-1.0, 0.0, 1.0}


@each_type
@given(closes=closes, data=st.data())
def test_adjusting_for_a_later_split_changes_no_position(strategy_type, closes, data):
    combination = data.draw(combinations_of(strategy_type), label="combination")
    halvings = data.draw(st.integers(1, 5), label="halvings")
    adjusted = closes / 2**halvings

    assert np.array_equal(combination.positions(closes), combination.positions(adjusted))


@given(closes=closes, window=st.integers(1, 30))
def test_moving_averages_and_deviations_are_those_of_the_last_values(closes, window):
    averages, deviations = moving_average(closes, window), moving_deviation(closes, window)

    for bar in range(len(closes)):
        if bar < window - 1:
            assert math.isnan(averages[bar])
            assert math.isnan(deviations[bar])
        else:
            last = closes[bar - window + 1 : bar + 1]
            assert math.isclose(averages[bar], last.mean())
            assert math.isclose(deviations[bar], last.std(), abs_tol=1e-7)


@given(closes=closes, period=st.integers(1, 30))
def test_the_rsi_is_what_wilders_recursion_gives(closes, period):
    index = relative_strength_index(closes, period)

    assert np.isnan(index[:period]).all()
    assert index[period:].tolist() == pytest.approx(rsi_bar_by_bar(closes, period), abs=1e-6)


def rsi_bar_by_bar(closes: NDArray[np.float64], period: int) -> list[float]:
    """Wilder's index as his book tells it, from bar `period` on."""
    changes = np.diff(closes).tolist()
    gain = sum(max(change, 0) for change in changes[:period]) / period
    loss = sum(max(-change, 0) for change in changes[:period]) / period
    index = []
    for bar in range(period, len(closes)):
        if bar > period:
            gain = (gain * (period - 1) + max(changes[bar - 1], 0)) / period
            loss = (loss * (period - 1) + max(-changes[bar - 1], 0)) / period
        index.append(100 * gain / (gain + loss) if gain + loss > 0 else 50.0)
    return index


@pytest.mark.parametrize(
    ("combination", "closes", "positions"),
    [
        (
            Combination("ma_crossover", {"fast": 1, "slow": 2}),
            [1, 2, 2, 1, 3],
            [0, 1, 0, -1, 1],
        ),
        (
            # Falls out of the band, recovers to the average, then rises out of it.
            Combination("bollinger_bands", {"period": 3, "std_dev": 1.0}),
            [10, 10, 10, 7, 8, 8, 12],
            [0, 0, 0, 1, 1, 0, -1],
        ),
        (
            Combination("rsi", {"period": 2, "oversold": 30, "overbought": 70}),
            [5, 4, 3, 3, 6, 7, 5.5],
            [0, 0, 1, 1, -1, -1, 0],
        ),
        (
            Combination("momentum", {"lookback": 2, "threshold": 0.1}),
            [10, 10, 10.5, 12, 11.5, 8],
            [0, 0, 0, 1, 0, -1],
        ),
    ],
    ids=lambda value: value.strategy_type if isinstance(value, Combination) else "",
)
def test_a_strategy_by_hand(combination, closes, positions):
    assert combination.positions(np.array(closes, dtype=float)).tolist() == positions


def test_the_grid_has_every_type_and_no_combination_twice():
    names = [combination.name for combination in combinations()]

    assert {combination.strategy_type for combination in combinations()} == set(STRATEGIES)
    assert len(names) == len(set(names))
    assert "bollinger_bands_20_2.0" in names


@needs_prices
def test_the_demo_registers_every_trace_that_it_writes(demo):
    [[registered, runs]] = rows(demo, "select count(*), count(distinct run_id) from trace_files")
    files = list((demo.run_directory / "traces" / "signals").rglob("*.parquet"))

    assert demo.traces == 5 * len(combinations()) == len(files) == registered
    assert runs == 1
    assert rows(demo, "select count(*) from strategies") == [[demo.strategies]]
    assert rows(demo, "select count(*) from quarantine") == [[0]]


@needs_prices
def test_the_catalog_knows_what_the_demo_evaluated(demo, prices):
    evaluated = rows(
        demo,
        "select distinct symbol, timeframe, last_bar + 1, data_digest from trace_files"
        " order by symbol",
    )

    assert evaluated == [[s.symbol, "1d", len(s.ts), s.digest] for s in prices.values()]


@needs_prices
def test_the_demo_answers_three_questions(demo):
    bands, held, behaviours = (table.to_pylist() for _, table in demo.results)

    # The wider the band, the rarer a close outside it; three deviations in ten are never reached.
    changes = [row["period_20"] for row in bands]
    assert changes == sorted(changes, reverse=True)
    assert bands[-1]["std_dev"] == 3.0
    assert bands[-1]["period_10"] == 0
    assert [row["symbol"] for row in held] == list(demo.symbols)
    assert {row["long"] + row["flat"] + row["short"] for row in held} == {demo.strategies}
    assert sum(row["traces"] for row in behaviours) == demo.traces
    for row in behaviours:
        assert row["behaviours"] < row["traces"]
        assert row["never_traded"] >= 5 * (row["strategy_type"] == "bollinger_bands")


@needs_prices
def test_the_exported_index_answers_in_any_duckdb(demo):
    found = duckdb.execute(
        "select symbol from read_parquet(?) where strategy_type = 'bollinger_bands'"
        " and param_period = 20 and param_std_dev = 2.0 order by symbol",
        [str(demo.index)],
    ).fetchall()

    assert found == [(symbol,) for symbol in demo.symbols]


@needs_prices
def test_a_catalog_elsewhere_is_used_when_it_is_named(tmp_path, monkeypatch):
    few = [combination for combination in combinations() if "bands_20_2" in combination.name]
    monkeypatch.setattr("catalog.demo.run.combinations", lambda: few)

    report = run_demo(tmp_path / "demo", tmp_path / "my.duckdb", say=lambda line: None)

    assert report.catalog == tmp_path / "my.duckdb"
    assert report.catalog.is_file()
    assert not (tmp_path / "demo" / "catalog.duckdb").exists()
    assert rows(report, "select count(*) from trace_files") == [[10]]


def test_a_directory_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(CatalogError, match="is not an empty directory") as raised:
        run_demo(tmp_path, say=lambda line: None)

    assert raised.value.exit_status == 1
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_demo_without_prices_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh_sampledata", None)
    directory: Path = tmp_path / "demo"

    with pytest.raises(CatalogError):
        run_demo(directory, say=lambda line: None)

    assert not directory.exists()


def rows(report: DemoReport, query: str) -> list[list[object]]:
    table = Catalog(report.catalog).sql(query).arrow()
    return [list(row.values()) for row in table.to_pylist()]
