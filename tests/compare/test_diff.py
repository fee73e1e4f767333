"""Two strategies, or two traces of one, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from compared import MINUTE, OPEN, SMA, write_one, write_states
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog, strategy_hash, write_signals
from catalog.cli import main
from catalog.cli.diff import _rounded_apart
from catalog.compare.parameters import differing_parameters, parameters_of_several
from catalog.errors import QueryError
from daily import measure_daily, walks
from markets import copied

OTHER = {"type": "sma", "parameters": {"fast": 6.5, "mode": "ema"}}
TREND = {"type": "trend", "parameters": {"level": 1}}
LEVEL = {"type": "trend", "parameters": {"level": 2}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    runs = tmp_path_factory.mktemp("diff") / "runs"
    write_one(runs / "a", [0, 1, 1, -1, -1, 0.5, 0.5, 0], strategy_id="one")
    write_one(runs / "b", [0, 1, 1, -1, 0, 0.5, 0.25, 0], config=OTHER, strategy_id="other")
    write_one(runs / "short", [0, 1, 1, -1], config=OTHER, strategy_id="other")
    write_one(runs / "late", [1, 0, 1, 1], config=OTHER, strategy_id="late", first=20, symbol="QQQ")
    write_one(runs / "a", [0, 1], strategy_id="elsewhere", symbol="QQQ")
    write_one(runs / "untimed", [0, 1, 1, 1, -1], timed=False, config=SMA, strategy_id="untimed")
    write_states(runs / "states", ["up", "up", "down", "down", "up"], config=TREND)
    write_states(runs / "states", ["up", "down", "down", "flat", "flat"], config=LEVEL)
    made = Catalog(runs.parent / "catalog.duckdb")
    made.register(runs)
    return made


@pytest.fixture(scope="module")
def ids(made):
    query = "select run_id || ' ' || strategy_id, trace_id from trace_files"
    return dict(made.sql(query).fetchall())


def test_parameters_that_differ_or_that_one_has_alone_are_told(made):
    found = made.diff("one", "other")

    assert found.parameters.to_pylist() == [
        {"parameter": "fast", "a": "5", "b": "6.5", "matters": True},
        {"parameter": "mode", "a": None, "b": '"ema"', "matters": True},
        {"parameter": "slow", "a": "20", "b": None, "matters": True},
    ]
    assert found.means_the_same is False


def test_the_first_bar_that_differs_and_the_share_that_agrees_are_told(made, ids):
    found = made.diff("one", "other")

    (signal,) = [row for row in found.signals.to_pylist() if row["symbol"] == "SPY"]
    assert (signal["bars"], signal["agree"], signal["agreement"]) == (8, 6, 0.75)
    assert (signal["first_bar"], signal["value_a"], signal["value_b"]) == (4, "-1", "0")
    assert f"{signal['first_ts']:%H:%M}" == "13:34"
    # Of the two that b has, the latest.
    assert (signal["trace_a"], signal["trace_b"]) == (ids["a one"], ids["b other"])


def test_a_trace_that_is_named_is_the_one_compared(made, ids):
    found = made.diff(ids["a one"], ids["short other"])

    (signal,) = found.signals.to_pylist()
    assert (signal["bars"], signal["agree"], signal["where_differs"]) == (4, 4, None)
    assert found.parameters.num_rows == 3


def test_two_traces_of_one_strategy_are_compared(made, ids):
    found = made.diff(ids["a one"], ids["untimed untimed"])

    (signal,) = found.signals.to_pylist()
    assert found.parameters.num_rows == 0
    assert found.means_the_same is True
    assert (signal["aligned_by"], signal["first_bar"], signal["agree"]) == ("bar_index", 3, 4)


def test_states_of_classifiers_are_compared_by_name(made):
    found = made.diff("1", "2")

    (states,) = found.signals.to_pylist()
    assert (states["kind"], states["bars"], states["agree"]) == ("classifier", 5, 2)
    assert (states["first_bar"], states["value_a"], states["value_b"]) == (1, "up", "down")


def test_ranges_that_share_no_bar_are_told(made, ids):
    found = made.diff(ids["a elsewhere"], ids["late late"])

    (signal,) = found.signals.to_pylist()
    assert (signal["bars"], signal["agreement"]) == (0, None)


def test_what_only_one_has_a_trace_on_is_told(made, ids):
    found = made.diff(ids["a one"], "1")

    assert found.signals.num_rows == 0
    assert found.alone == {"classifier SPY 1m": "b", "signal SPY 1m": "a"}


def test_nothing_is_compared_with_itself(made, ids):
    with pytest.raises(QueryError, match="the same"):
        made.diff("one", "one")
    with pytest.raises(QueryError, match="Nothing in the catalog"):
        made.diff("one", "nobody")


def test_traces_in_packs_are_compared_too(made, tmp_path):
    before = made.diff("one", "other").signals.drop_columns(["trace_a", "trace_b"])
    packed = copied(made, tmp_path)
    packed.compact()

    assert packed.diff("one", "other").signals.drop_columns(["trace_a", "trace_b"]).equals(before)


def test_a_file_that_is_gone_is_told(made, ids, tmp_path):
    there = copied(made, tmp_path)
    query = f"select path from trace_files where trace_id = '{ids['a one']}'"
    ((path,),) = there.sql(query).fetchall()
    Path(path).unlink()

    found = there.diff("one", "other")

    assert found.unread == {ids["a one"]: "its file is gone"}
    assert found.parameters.num_rows == 3


def test_metrics_stand_parameters_of_several_where_both_were_measured(catalog, tmp_path):
    measure_daily(catalog, tmp_path / "runs" / "r", walks(60, 2))

    found = catalog.diff("walk_0", "walk_1")

    rows = {row["metric"]: row for row in found.metrics.to_pylist()}
    query = "select sharpe, trades from strategy_index order by strategy_id"
    (sharpe_0, trades_0), (sharpe_1, trades_1) = catalog.sql(query).fetchall()
    assert (rows["sharpe"]["a"], rows["sharpe"]["b"]) == (sharpe_0, sharpe_1)
    assert rows["sharpe"]["difference"] == pytest.approx(sharpe_1 - sharpe_0)
    assert (rows["trades"]["a"], rows["trades"]["b"]) == (trades_0, trades_1)
    assert found.terms == "cost 0 bps one way, filled at close"


def test_the_command_prints_all_of_it(made):
    def run(*words):
        return CliRunner().invoke(main, ["diff", *words, "--catalog", str(made.path)])

    done = run("one", "other")
    rows = [
        json.loads(line) for line in run("one", "other", "--format", "jsonl").stdout.splitlines()
    ]
    none = run("1", "one")

    assert done.exit_code == 0
    assert "parameters 3 differ" in done.stderr
    assert "75.00% of 8 bars agree; they part at bar 4, 2024-03-26 13:34 UTC" in done.stderr
    assert "not measured: run catalog metrics" in done.stderr
    assert {"what": "parameter", "name": "fast", "a": 5, "b": 6.5} in rows
    assert {"what": "signal SPY 1m", "name": "value", "a": -1.0, "b": 0.0} in rows
    assert {"what": "signal SPY 1m", "name": "agreement", "a": 0.75, "b": 0.75} in rows
    assert "alone      only a has a classifier SPY 1m" in none.stderr


def test_the_pair_that_shares_times_is_compared_though_its_bars_have_other_numbers(
    catalog, tmp_path
):
    runs = tmp_path / "runs"
    # Each numbers its bars from 0 on, an hour apart from one another.
    for run, config, hour in (("a", SMA, 0), ("b", OTHER, 0), ("c", OTHER, 24)):
        write_signals(
            runs / run, np.array([[0.0], [1.0], [-1.0]]), configs=[config], strategy_ids=[run],
            symbol="SPY", timeframe="1m",
            ts=OPEN + np.timedelta64(hour, "h") + np.arange(3) * MINUTE, catalog=catalog.path,
        )  # fmt: skip

    (signal,) = catalog.diff(strategy_hash(SMA), strategy_hash(OTHER)).signals.to_pylist()

    assert (signal["run_b"], signal["bars"], signal["agree"]) == ("b", 3, 3)


def test_a_strategy_is_not_compared_with_its_only_trace(made, ids):
    with pytest.raises(QueryError, match="no other trace"):
        made.diff(strategy_hash(TREND), ids["states 1"])


def test_numbers_that_differ_look_different(made, tmp_path):
    there = copied(made, tmp_path)
    runs = tmp_path / "home" / "runs"
    write_one(runs / "near", [0, 0.1234567], strategy_id="near")
    write_one(runs / "nearer", [0, 0.1234568], config=OTHER, strategy_id="nearer")
    there.register(runs)
    by_run = dict(there.sql("select run_id, trace_id from trace_files").fetchall())

    def run(form):
        words = ["diff", by_run["near"], by_run["nearer"], "--format", form]
        return CliRunner().invoke(main, [*words, "--catalog", str(there.path)]).stdout

    assert "0.1234567" in run("csv") and "0.1234568" in run("csv")
    assert {"what": "signal SPY 1m", "name": "value", "a": 0.1234567, "b": 0.1234568} in json.loads(
        run("json")
    )
    (signal,) = there.diff(by_run["near"], by_run["nearer"]).signals.to_pylist()
    assert (signal["value_a"], signal["value_b"]) == ("0.1234567", "0.1234568")


def test_metrics_have_as_many_digits_as_tell_them_apart():
    rows = [
        {"metric": "sharpe", "a": 0.1234567, "b": 0.1234568, "difference": 1e-7},
        {"metric": "trades", "a": 1.23456, "b": 2.0, "difference": 0.76544},
        {"metric": "beta", "a": 0.123456, "b": 0.123456, "difference": 0.0},
    ]

    shown = _rounded_apart(pa.Table.from_pylist(rows)).to_pylist()

    assert [(row["a"], row["b"]) for row in shown] == [
        (0.1234567, 0.1234568), (1.2346, 2.0), (0.1235, 0.1235),
    ]  # fmt: skip


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 2.0, "x"]),
    st.lists(st.integers(0, 2), max_size=2),
)  # fmt: skip
CONFIGS = st.fixed_dictionaries(
    {"type": st.sampled_from("ab")},
    optional={
        "parameters": st.dictionaries(
            st.sampled_from(["p", "q", "_r"]),
            LEAVES | st.dictionaries(st.sampled_from("xy"), LEAVES, max_size=2),
        )
    },
)


@given(a=CONFIGS, b=CONFIGS)
def test_parameters_differ_where_the_configurations_do(a, b):
    rows = differing_parameters(a, b).to_pylist()

    assert differing_parameters(a, a).num_rows == 0
    if json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True):
        assert not rows
    for row, turned in zip(rows, differing_parameters(b, a).to_pylist(), strict=True):
        assert (row["a"], row["b"], row["matters"]) == (turned["b"], turned["a"], turned["matters"])
        assert row["a"] != row["b"]


@pytest.mark.parametrize(
    "a, b, matters",
    [
        (20, 20.0, False),
        (1, True, True),
        ([1, 2], [1.0, 2], False),
        ([1, 2], [2, 1], True),
        ("1", 1, True),
        (None, 0, True),
    ],
)
def test_what_means_the_same_does_not_matter(a, b, matters):
    (row,) = differing_parameters({"parameters": {"p": a}}, {"parameters": {"p": b}}).to_pylist()

    assert (row["parameter"], row["matters"]) == ("p", matters)


def test_components_are_compared_one_by_one():
    one = {"strategies": [{"type": "rsi", "params": {"period": 14}}, {"type": "sma"}]}
    other = {"strategies": [{"type": "rsi", "params": {"period": 10}}]}

    rows = differing_parameters(one, other).to_pylist()

    assert [(row["parameter"], row["a"], row["b"]) for row in rows] == [
        ("strategies.0.params.period", "14", "10"),
        ("strategies.1.type", '"sma"', None),
    ]


def test_of_several_are_told_all_parameters_of_several_and_which_mean_the_same():
    configs = [
        {"type": "x", "parameters": {"n": 20, "only": [1]}},
        {"type": "x", "parameters": {"n": 20.0, "_place": 3}},
        None,
    ]

    found = {one.name: (one.values, one.is_alike) for one in parameters_of_several(configs)}

    assert found == {
        "type": (("x", "x", None), True),
        "n": ((20, 20.0, None), True),
        "only": (([1], None, None), False),
    }
