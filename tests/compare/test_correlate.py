"""Strategies are compared by what they earned each session, over the sessions that both have."""

from __future__ import annotations

import csv
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from catalog.cli import main
from catalog.compare.correlate import pairwise_correlation
from catalog.compare.independence import effective_trials
from catalog.errors import QueryError, UsageError
from conftest import rows
from daily import measure_daily, walks


@pytest.fixture
def measure(catalog, tmp_path):
    """Measure daily strategies; return what they earned, and their turnover."""

    def measure(signals, name: str = "run", **options):
        return measure_daily(catalog, tmp_path / "runs" / name, signals, **options)

    return measure


@pytest.fixture
def run(catalog):
    def run(*words):
        words = [str(word) for word in words]
        return CliRunner().invoke(main, ["correlate", *words, "--catalog", str(catalog.path)])

    return run


def numbers(names: list[str]) -> list[int]:
    return [int(name.split("_")[1]) for name in names]


def test_a_matrix_is_that_of_numpy(catalog, measure):
    returns, _ = measure(walks(120, 6))

    found = catalog.correlate()

    order = numbers(found.names)
    expected = np.corrcoef(returns[:, order], rowvar=False)
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)
    assert np.all(np.diagonal(found.matrix) == 1)
    assert found.common_sessions == 120
    assert np.all(found.sessions == 120)
    assert found.mean == pytest.approx(expected[np.triu_indices(6, 1)].mean())
    assert found.effective == pytest.approx(effective_trials(returns))
    assert found.table().column_names == ["strategy", *found.names]


@given(seed=st.integers(0, 2**32 - 1), days=st.integers(0, 12), count=st.integers(1, 8))
def test_correlations_are_what_each_two_have_over_what_both_have(seed, days, count):
    random = np.random.default_rng(seed)
    returns = random.normal(0, 1, (days, count)) * 10.0 ** random.integers(-150, 150, count)
    returns[:, random.random(count) < 0.2] = 0.1
    missing = random.random((days, 3)) < 0.3
    returns[missing[:, random.integers(0, 3, count)]] = np.nan

    matrix, sessions = pairwise_correlation(returns)

    for a in range(count):
        for b in range(count):
            both = ~np.isnan(returns[:, a]) & ~np.isnan(returns[:, b])
            x, y = returns[both, a], returns[both, b]
            assert sessions[a, b] == len(x)
            if len(x) and x.min() < x.max() and y.min() < y.max():
                x, y = x / np.abs(x).max(), y / np.abs(y).max()
                assert matrix[a, b] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)
            else:
                assert np.isnan(matrix[a, b])
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-15)


def test_the_best_by_sharpe_ratio_are_taken(catalog, measure):
    measure(walks(120, 6))
    query = "select strategy_id from strategy_index order by sharpe desc"
    best = [name for (name,) in rows(catalog, query)]

    found = catalog.correlate(top=3)

    assert found.names == best[:3]
    assert found.meant == 6


def test_cost_and_range_are_taken_off(catalog, measure):
    returns, turnover = measure(walks(120, 4))

    found = catalog.correlate(cost_bps=50, start=date(2023, 2, 1), end=date(2023, 3, 1))

    order = numbers(found.names)
    net = (returns - 0.005 * turnover)[30:59, order]
    np.testing.assert_allclose(found.matrix, np.corrcoef(net, rowvar=False), atol=1e-12)
    assert found.common_sessions == 29


def test_fills_at_the_next_open_have_returns_of_their_own(catalog, measure):
    # Its open is the close before, at which the other fill is, so that both earn the same.
    measure(walks(60, 3), fills=("close",))
    with pytest.raises(QueryError) as error:
        catalog.correlate(fill="next_open")
    assert error.value.hint.endswith("catalog metrics --fill next_open")
    catalog.metrics(fill="next_open")

    found = catalog.correlate(fill="next_open")

    assert len(found.names) == 3


def test_a_strategy_that_earns_nothing_has_no_correlation(catalog, measure, run):
    signals = walks(60, 3)
    signals[:, 1] = 0
    returns, _ = measure(signals)

    found = catalog.correlate()

    assert numbers(found.names)[-1] == 1
    assert np.all(np.isnan(found.matrix[-1]))
    assert found.mean == pytest.approx(np.corrcoef(returns[:, 0], returns[:, 2])[0, 1])
    assert found.table()[found.names[-1]].null_count == 3
    assert found.pairs()["correlation"].null_count == 2
    assert "nan" not in run().stdout


def test_two_are_compared_over_the_sessions_that_both_have(catalog, measure):
    long, _ = measure(walks(120, 2), symbol="SPY")
    short, _ = measure(walks(50, 1, seed=3), "later", symbol="QQQ", first="2023-04-02", seed=2)

    found = catalog.correlate()

    place = {name: place for place, name in enumerate(found.names)}
    spy, other, qqq = place["walk_0 SPY"], place["walk_1"], place["walk_0 QQQ"]
    assert (found.sessions[spy, other], found.sessions[spy, qqq]) == (120, 30)
    assert found.common_sessions == 30
    expected = np.corrcoef(long[90:, 0], short[:30, 0])[0, 1]
    assert found.matrix[spy, qqq] == pytest.approx(expected)
    assert found.matrix[spy, other] == pytest.approx(np.corrcoef(long, rowvar=False)[0, 1])


def test_strategies_that_share_no_session_have_no_correlation(catalog, measure):
    measure(walks(50, 1), symbol="SPY")
    measure(walks(50, 1), "later", symbol="QQQ", first="2024-04-02")

    found = catalog.correlate()

    assert (found.common_sessions, found.mean, found.effective) == (0, None, None)
    assert found.pairs().to_pylist()[0]["sessions"] == 0


def test_of_a_strategy_the_latest_trace_counts(catalog, measure):
    measure(walks(60, 3), "old")
    measure(walks(90, 3), "new")

    found = catalog.correlate()

    assert found.strategies["run_id"].to_pylist() == ["new"] * 3
    assert found.common_sessions == 90
    assert catalog.correlate(where="run_id = 'old'").strategies["run_id"].to_pylist() == ["old"] * 3


def test_names_that_two_strategies_have_are_told_apart(catalog, measure):
    measure(walks(60, 1), symbol="SPY")
    measure(walks(60, 1), "other", symbol="QQQ")

    found = catalog.correlate()

    assert sorted(found.names) == ["walk_0 QQQ", "walk_0 SPY"]
    assert found.table().num_columns == 3


def test_pairs_are_sorted_by_how_alike_or_opposed_they_are(catalog, measure, run):
    signals = walks(90, 4)
    signals[:, 3] = -signals[:, 0]
    measure(signals)

    found = catalog.correlate().pairs().to_pylist()

    assert len(found) == 6
    assert {found[0]["a"], found[0]["b"]} == {"walk_0", "walk_3"}
    assert found[0]["correlation"] == pytest.approx(-1)
    sizes = [abs(pair["correlation"]) for pair in found]
    assert sizes == sorted(sizes, reverse=True)
    printed = list(csv.DictReader(run("--pairs", "--format", "csv").stdout.splitlines()))
    assert [float(pair["correlation"]) for pair in printed] == [
        pair["correlation"] for pair in found
    ]


def test_the_command_draws_a_matrix_and_says_what_it_amounts_to(catalog, measure, run):
    signals = walks(90, 3)
    signals[:, 1] = signals[:, 0]
    measure(signals)

    condition = "strategy_id in ('walk_0', 'walk_1')"
    one, other = catalog.correlate(where=condition).names

    done = run("--top", 2, "--where", condition)

    assert done.exit_code == 0
    assert done.stdout == f"             1     2\n1 {one}  1.00  1.00\n2 {other}  1.00  1.00\n"
    assert done.stderr == (
        "strategies 2 of 2\n"
        "mean       1.00, of the correlations of two\n"
        "sessions   90 that all of them have\n"
        "effective  1.0 independent strategies, over those sessions\n"
        "next       catalog correlate --pairs\n"
    )


def test_without_session_returns_the_hint_is_to_compute_them(catalog, write_run, run):
    catalog.register(write_run())

    done = run()

    assert done.exit_code == 1
    assert "no session returns" in done.stderr
    assert "hint: Compute them first: catalog metrics" in done.stderr


def test_session_returns_that_are_gone_are_an_error(catalog, measure, run):
    measure(walks(60, 2))
    for path in (catalog.path.with_suffix(".d") / "returns").iterdir():
        path.unlink()

    done = run()

    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")


def test_what_cannot_be_compared_is_refused(catalog, measure, run):
    measure(walks(60, 2))

    with pytest.raises(QueryError, match="Only one"):
        catalog.correlate(where="strategy_id = 'walk_0'")
    with pytest.raises(QueryError, match="no returns in those sessions"):
        catalog.correlate(start=date(2030, 1, 1))
    with pytest.raises(UsageError):
        catalog.correlate(top=1)
    with pytest.raises(UsageError):
        catalog.correlate(fill="somewhere")
    assert run("--top", 1).exit_code == 2
