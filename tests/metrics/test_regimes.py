"""What strategies earn in each state of a classifier, told when the state was known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import TraceWriter
from catalog.metrics.holdings import holdings_of_changes
from catalog.metrics.market import Market
from catalog.metrics.measure import measure
from catalog.metrics.regimes import Regimes
from catalog.metrics.terms import Terms
from conftest import rows
from markets import add_prices, price_series, price_table, random_signals, write_strategies


def classify(catalog, states, table, *, timeframe="1m", name="trend"):
    """Write a classifier beside the catalog."""
    times = table["timestamp"].to_pylist()
    with TraceWriter(
        catalog.path.parent / "runs" / f"classified_{timeframe}",
        config={"type": f"{name}_classifier", "parameters": {}},
        strategy_id=name,
        symbol="SPY",
        timeframe=timeframe,
        kind="classifier",
        catalog=catalog.path,
    ) as writer:
        for bar, state in enumerate(states):
            writer.append(bar, times[bar], state)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bars=st.integers(40, 800), cost=st.sampled_from([0.0, 2.0]))
def test_the_states_compound_to_the_whole(seed, bars, cost):
    random = np.random.default_rng(seed)
    market = Market(price_series(bars, seed=seed % 5))
    signals = random_signals(bars, 6, changes=bars // 8, seed=seed)
    at = [np.flatnonzero(np.diff(one, prepend=0)) for one in signals.T]
    holdings = holdings_of_changes(
        np.concatenate(at),
        np.concatenate([one[rows] for one, rows in zip(signals.T, at, strict=True)]),
        offsets=np.concatenate(([0], np.cumsum([len(one) for one in at]))),
        first=np.zeros(6, int),
        last=np.full(6, bars - 1),
    )
    starts = np.append(0, np.sort(random.choice(np.arange(1, bars), min(9, bars - 1), False)))
    regimes = Regimes("x", starts, random.integers(0, 3, len(starts)), ("a", "b", "c"), "digest")
    terms = Terms(cost)

    whole = measure(holdings, market, terms).figures

    growth, bar_count, held = np.ones(6), np.zeros(6), np.zeros(6)
    benchmark = np.ones(6)
    for _, seen, part in regimes.measure(holdings, market, terms):
        growth[seen] *= 1 + part.figures["total_return"]
        benchmark[seen] *= 1 + part.figures["benchmark_return"]
        bar_count[seen] += part.figures["bar_count"]
        held[seen] += part.figures["time_in_market"] * part.figures["bar_count"]
    np.testing.assert_allclose(growth - 1, whole["total_return"], atol=1e-11)
    np.testing.assert_allclose(benchmark - 1, whole["benchmark_return"], atol=1e-11)
    assert (bar_count == bars).all()
    np.testing.assert_allclose(held, whole["time_in_market"] * bars, atol=1e-6)


def test_a_state_counts_from_the_bar_after_it_was_known(catalog):
    table = price_table()
    close = table["close"].to_numpy()
    add_prices(catalog, table)
    write_strategies(catalog, np.ones((600, 1)), table)
    states = ["calm"] * 300 + ["wild"] * 300
    classify(catalog, states, table)

    catalog.metrics(by_regime="trend")

    found = dict(rows(catalog, "select regime, total_return from metrics where regime is not null"))
    # The state said at the end of bar 0 is in force from bar 1; that of bar 300 from bar 301.
    assert found["calm"] == pytest.approx(close[300] / close[0] - 1)
    assert found["wild"] == pytest.approx(close[-1] / close[300] - 1)
    assert found["unknown"] == 0


def test_a_slower_classifier_is_known_at_the_end_of_its_bar(catalog):
    table = price_table()
    close = table["close"].to_numpy()
    add_prices(catalog, table)
    slow = table.take(pa.array(np.arange(0, 600, 5)))
    add_prices(catalog, slow, timeframe="5m")
    write_strategies(catalog, np.ones((600, 1)), table)
    classify(catalog, ["calm"] * 60 + ["wild"] * 60, slow, timeframe="5m")

    catalog.metrics(by_regime="trend_classifier")

    found = dict(rows(catalog, "select regime, total_return from metrics where regime is not null"))
    # Bar 60 of five minutes is known when bar 304 of one minute ends.
    assert found["calm"] == pytest.approx(close[304] / close[4] - 1)
    assert found["wild"] == pytest.approx(close[-1] / close[304] - 1)


def test_each_classifier_has_rows_of_its_own_and_stays_up_to_date(catalog):
    table = price_table()
    add_prices(catalog, table)
    write_strategies(catalog, random_signals(600, 3, changes=20), table)
    classify(catalog, ["calm"] * 300 + ["wild"] * 300, table)
    classify(catalog, ["up", "down"] * 300, table, timeframe="1m", name="side")
    catalog.metrics(by_regime="trend")
    assert catalog.metrics(by_regime="trend").measured == 0

    assert catalog.metrics(by_regime="side").measured == 3

    kinds = rows(catalog, "select classifier, count(distinct regime) from metrics group by all")
    assert sorted(kinds, key=str) == [("side", 3), ("trend", 3), (None, 0)]
    assert catalog.metrics(by_regime="trend").measured == 0
    assert catalog.metrics().measured == 0


def test_other_times_of_the_classifier_change_its_figures(catalog):
    table = price_table()
    slow = table.take(pa.array(np.arange(0, 600, 5)))
    add_prices(catalog, table)
    add_prices(catalog, slow, timeframe="5m")
    write_strategies(catalog, np.ones((600, 1)), table)
    classify(catalog, ["calm"] * 60 + ["wild"] * 60, slow, timeframe="5m")
    catalog.metrics(by_regime="trend")
    calm = "select total_return from metrics where regime = 'calm'"
    before = rows(catalog, calm)

    catalog.add_prices(slow, symbol="SPY", timeframe="5m", tz="America/New_York", label="close")
    catalog.metrics(by_regime="trend_classifier")

    after = rows(catalog, calm)
    assert len(after) == 1
    assert after != before
