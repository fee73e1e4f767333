"""What backtesting libraries hold becomes the traces that their positions are."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow.parquet as pq
import pytest

from catalog.adapters import trace_backtest, trace_entries, trace_portfolio
from catalog.errors import UsageError
from conftest import rows

pandas = pytest.importorskip("pandas")

BARS = 40
INDEX = pandas.date_range("2024-01-02", periods=BARS, freq="D", tz="America/New_York")
CLOSE = pandas.Series(100 + np.sin(np.arange(BARS) / 3) * 5, index=INDEX, name="SPY")
CONFIGS = {name: {"type": "demo", "parameters": {"name": name}} for name in ("a", "b")}


def position(path) -> list[float]:
    """Return the position of every bar, as the trace says it."""
    table = pq.read_table(path)
    values = np.zeros(BARS)
    for bar, value in zip(table["idx"].to_pylist(), table["val"].to_pylist(), strict=True):
        values[bar:] = value
    return values.tolist()


def held_bar_by_bar(enter, leave, short_enter=None, short_leave=None) -> list[float]:
    held, now = [], 0.0
    for bar in range(len(enter)):
        if leave[bar] and now > 0:
            now = 0.0
        if short_leave is not None and short_leave[bar] and now < 0:
            now = 0.0
        if enter[bar] and not leave[bar]:
            now = 1.0
        if short_enter is not None and short_enter[bar] and not short_leave[bar]:
            now = -1.0
        held.append(now)
    return held


def test_entries_and_exits(catalog, tmp_path):
    random = np.random.default_rng(3)
    entries, exits = (
        pandas.DataFrame(random.random((BARS, 2)) < 0.2, index=INDEX, columns=["a", "b"])
        for _ in range(2)
    )

    paths = trace_entries(
        tmp_path / "run", entries, exits, configs=CONFIGS, symbol="SPY", timeframe="1d",
        catalog=catalog.path,
    )  # fmt: skip

    for name, path in zip("ab", paths, strict=True):
        assert position(path) == held_bar_by_bar(entries[name].tolist(), exits[name].tolist())
    query = "select strategy_id, first_ts::varchar from trace_files order by 1"
    assert rows(catalog, query) == [
        ("a", "2024-01-02 05:00:00+00"),
        ("b", "2024-01-02 05:00:00+00"),
    ]


def test_short_entries_turn_a_position_round(catalog, tmp_path):
    enter, leave = np.zeros((2, BARS, 1), bool)
    short, cover = np.zeros((2, BARS, 1), bool)
    enter[2], short[5], cover[9], enter[12], leave[14] = True, True, True, True, True

    (path,) = trace_entries(
        tmp_path / "run", enter, leave, short_entries=short, short_exits=cover,
        configs=[CONFIGS["a"]], strategy_ids=["a"], symbol="SPY", catalog=catalog.path,
    )  # fmt: skip

    expected = held_bar_by_bar(*(one[:, 0].tolist() for one in (enter, leave, short, cover)))
    assert position(path) == expected
    assert expected[2] == 1.0 and expected[5] == -1.0 and expected[9] == 0.0
    with pytest.raises(UsageError, match="not of one shape"):
        trace_entries(tmp_path, enter, leave[:5], configs=[], symbol="SPY")


def test_a_vectorbt_portfolio(catalog, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vectorbt = pytest.importorskip("vectorbt")
        entries = pandas.DataFrame(
            {"a": np.arange(BARS) % 10 == 2, "b": np.arange(BARS) % 7 == 1}, index=INDEX
        )
        exits = entries.shift(3, fill_value=False)
        portfolio = vectorbt.Portfolio.from_signals(CLOSE, entries, exits)

        paths = trace_portfolio(
            tmp_path / "run", portfolio, configs=CONFIGS, symbol="SPY", timeframe="1d",
            catalog=catalog.path,
        )  # fmt: skip

    for name, path in zip("ab", paths, strict=True):
        assert position(path) == held_bar_by_bar(entries[name].tolist(), exits[name].tolist())
    assert rows(catalog, "select count(*) from trace_files where data_digest is not null") == [(2,)]


def test_a_portfolio_of_two_symbols_is_refused(catalog, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vectorbt = pytest.importorskip("vectorbt")
        closes = pandas.DataFrame({"a": CLOSE, "b": CLOSE * 2})
        portfolio = vectorbt.Portfolio.from_holding(closes)

    with pytest.raises(UsageError, match="different prices"):
        trace_portfolio(tmp_path, portfolio, configs=CONFIGS, symbol="SPY", catalog=catalog.path)


@pytest.mark.parametrize("at_close", [False, True])
def test_a_backtesting_py_run(catalog, tmp_path, at_close):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backtesting = pytest.importorskip("backtesting")

        class Flip(backtesting.Strategy):
            def init(self) -> None:
                pass

            def next(self) -> None:
                bar = len(self.data) - 1
                if bar in (5, 25):
                    self.buy()
                elif bar == 12:
                    self.position.close()
                    self.sell()
                elif bar == 20:
                    self.position.close()

        bars = pandas.DataFrame(
            {"Open": CLOSE, "High": CLOSE + 1, "Low": CLOSE - 1, "Close": CLOSE, "Volume": 1.0}
        )
        stats = backtesting.Backtest(bars, Flip, cash=1_000_000, trade_on_close=at_close).run()

        path = trace_backtest(
            tmp_path / "run", stats, config=CONFIGS["a"], strategy_id="a", symbol="SPY",
            catalog=catalog.path,
        )  # fmt: skip

    table = pq.read_table(path)
    changes = dict(zip(table["idx"].to_pylist(), table["val"].to_pylist(), strict=True))
    assert changes == {0: 0.0, 5: 1.0, 12: -1.0, 20: 0.0, 25: 1.0}
    assert rows(catalog, "select last_bar from trace_files") == [(BARS - 1,)]
    with pytest.raises(UsageError, match=r"Backtest.run"):
        trace_backtest(tmp_path, {}, config=CONFIGS["a"], strategy_id="a", symbol="SPY")
