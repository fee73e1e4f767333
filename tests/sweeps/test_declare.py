"""Sweeps that say ranges, conditions, constraints and components, in a file or in Python."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import Sweep
from catalog.components import components
from catalog.errors import SweepFileError
from catalog.strategy import strategy_hash
from catalog.sweeps.conditions import parse_condition
from catalog.sweeps.file import load_sweep
from catalog.sweeps.values import range_values


def a_sweep(params, **said) -> Sweep:
    return Sweep.declare(strategies={"type": "sma", "params": params, **said}, symbols="SPY")


def values_of(sweep: Sweep) -> list[tuple]:
    return [strategy.values for strategy in sweep.expand()]


# --- Ranges -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ({"from": 5, "to": 20, "step": 5}, [5, 10, 15, 20]),
        ({"from": 5, "to": 19, "step": 5}, [5, 10, 15]),
        ({"from": 3, "to": 1, "step": -1}, [3, 2, 1]),
        ({"from": 0.1, "to": 0.5, "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"from": 5.0, "to": 7, "step": 1}, [5.0, 6.0, 7.0]),
        ({"from": 0, "to": 1, "count": 5}, [0.0, 0.25, 0.5, 0.75, 1.0]),
        ({"from": 10, "to": 30, "count": 3}, [10, 20, 30]),
        ({"from": 0.001, "to": 0.1, "count": 3, "scale": "log"}, [0.001, 0.01, 0.1]),
    ],
)
def test_a_range_is_its_values_as_they_would_be_written(words, values):
    made = range_values(words)

    assert [json.dumps(value) for value in made] == [json.dumps(value) for value in values]


@given(
    first=st.integers(-1000, 1000),
    step=st.integers(1, 50),
    count=st.integers(1, 60),
    beyond=st.integers(0, 49),
    decimals=st.integers(0, 4),
)
def test_a_range_has_both_ends_and_every_step_between(first, step, count, beyond, decimals):
    scale = 10**decimals
    last = first + step * (count - 1) + min(beyond, step - 1)
    words = {"from": first / scale, "to": last / scale, "step": step / scale}

    made = range_values(words)

    # The nearest number to each decimal, as if it had been written down.
    assert made == [(first + step * n) / scale for n in range(count)]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"from": 5, "to": 1, "step": 1}, "it makes no values"),
        ({"from": 1, "to": 5, "step": 0}, "step is 0"),
        ({"from": 1, "to": 5, "count": 1}, "count is 1"),
        ({"from": 0, "to": 5, "count": 3, "scale": "log"}, "above 0"),
        ({"from": 1, "to": 5, "count": 3, "scale": "cubic"}, "can be linear or log"),
        ({"from": "a", "to": 5, "step": 1}, "no number"),
        ({"from": 0, "to": 1e12, "step": 1}, "more than"),
    ],
)
def test_a_range_that_is_none_is_refused_with_what_is_wrong(words, why):
    with pytest.raises(SweepFileError, match=why) as caught:
        a_sweep({"fast": words})

    assert "range of fast in strategies, entry 1 (sma)" in str(caught.value)
    assert caught.value.hint


def test_a_mapping_of_other_keys_is_one_value_as_it_always_was():
    sweep = a_sweep({"band": {"from": 1, "to": 2}, "spread": {"range": [5, 50, 5]}})

    assert values_of(sweep) == [({"from": 1, "to": 2}, {"range": [5, 50, 5]})]


# --- Conditions -------------------------------------------------------------------------------


def test_only_combinations_that_meet_all_conditions_and_no_exclusion_belong_to_a_grid():
    sweep = a_sweep(
        {"fast": [5, 10, 20], "mode": ["a", "b"], "slow": [10, 20]},
        where=["fast < slow", "fast * 2 <= slow or mode == 'a'"],
        exclude="fast == 10 and mode in ('b',)",
    )

    assert values_of(sweep) == [
        (5, "a", 10), (5, "a", 20), (5, "b", 10), (5, "b", 20), (10, "a", 20),
    ]  # fmt: skip
    assert sweep.size == 5
    assert [s.strategy_id for s in sweep.expand()][-1] == "SPY_sma_10_a_20"


@given(
    a=st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True),
    b=st.lists(st.floats(-3, 3), min_size=1, max_size=4, unique=True),
    c=st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
    text=st.sampled_from(
        ["a < b", "c > a", "b <= c < 4", "a + b > c or not a == c", "abs(a) != c and min(a, c) < b",
         "a % c == 0", "-a // c >= b ** 2"]
    ),
)  # fmt: skip
def test_a_condition_keeps_what_python_would_keep(a, b, c, text):
    try:
        sweep = a_sweep({"a": a, "b": b, "c": c}, where=text)
    except SweepFileError as error:
        assert "no combination" in str(error)
        kept = []
    else:
        kept = values_of(sweep)

    wanted = [
        (x, y, z) for x in a for y in b for z in c
        if eval(text, {"abs": abs, "min": min}, {"a": x, "b": y, "c": z})
    ]  # fmt: skip
    assert kept == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fast < slwo", "there is no parameter slwo; there are fast, slow"),
        ("fast = slow", "write == for equal"),
        ("fast <", "it cannot be read"),
        ("1 < 2", "it is about no parameter"),
        ("fast.real < slow", "nothing that a condition may say"),
        ("__import__('os').system('true') or fast", "there is no parameter __import__"),
        ("(lambda: fast)()", "nothing that a condition may say"),
        ("[fast for fast in (1, 2)]", "nothing that a condition may say"),
        ("fast[0] < slow", "nothing that a condition may say"),
        ("'a' * slow == 'aa'", "'a' is no number"),
        ("slow ** (slow * 1000) > fast", "is too large"),
        ("fast < mode", None),
        ("fast / (slow - slow) > 1", "division by zero"),
        ("fast > slow + 1000", "no combination of sma meets fast > slow"),
    ],
)
def test_what_is_no_condition_is_refused_and_never_run(text, why):
    params = {"fast": [5, 10], "slow": [20, 50]}
    if "mode" in text:
        params["mode"] = ["a"]

    with pytest.raises(SweepFileError, match=None if why is None else why.replace("*", r"\*")):
        a_sweep(params, where=text)


def test_a_parameter_may_have_the_name_of_a_function():
    assert parse_condition("min < max", ["min", "max"]).holds((1, 2))


# --- What else configurations say ------------------------------------------------------------


def test_constraints_are_part_of_every_configuration_of_their_grid():
    sweep = a_sweep({"period": [20], "std_dev": [2.0]}, constraints="intraday")
    (strategy,) = sweep.expand()

    assert strategy.config == {
        "type": "sma", "parameters": {"period": 20, "std_dev": 2.0}, "constraints": "intraday",
    }  # fmt: skip


def test_a_component_is_an_entry_before_it_by_name_or_a_strategy_of_its_own():
    sweep = Sweep.declare(
        strategies=[
            {"type": "rsi", "name": "fast_rsi", "params": {"period": 7}},
            {
                "type": "vote",
                "params": {"threshold": [0.5, 0.6]},
                "components": [
                    "fast_rsi",
                    {"name": "fast_rsi", "weight": 0.5},
                    {"type": "sma", "params": {"fast": 5}},
                ],
            },
        ]
    )

    config = [strategy.config for strategy in sweep.expand()][-1]
    assert [(one.config, one.weight) for one in components(config)] == [
        ({"type": "rsi", "parameters": {"period": 7}}, None),
        ({"type": "rsi", "parameters": {"period": 7}}, 0.5),
        ({"type": "sma", "parameters": {"fast": 5}}, None),
    ]
    with pytest.raises(SweepFileError, match="component slow_rsi, and no one entry before it"):
        Sweep.declare(strategies={"type": "vote", "components": ["slow_rsi"]})


def test_what_python_holds_is_what_a_file_says(tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text(
        "name: grid\nsymbols: [SPY]\ntimeframes: [5m]\nstrategies:\n"
        "  - {type: sma, params: {fast: [5, 10], slow: {from: 20, to: 40, step: 20}, x: [0.5]},\n"
        "     where: fast < slow}\n"
    )

    made = Sweep.declare(
        name="grid",
        symbols="SPY",
        timeframes=("5m",),
        strategies=[
            {
                "type": "sma",
                "params": {"fast": range(5, 11, 5), "slow": (20, 40), "x": np.array([0.5])},
                "where": "fast < slow",
            }
        ],
    )

    read = load_sweep(path)
    assert (made.symbols, made.timeframes, made.grids) == (read.symbols, ("5m",), read.grids)
    assert {strategy_hash(s.config) for s in made.expand()} == {
        strategy_hash(s.config) for s in read.expand()
    }


def test_more_than_five_million_configurations_are_refused_unless_conditions_leave_fewer():
    wide = {"a": range(1, 3001), "b": range(1, 3001)}

    with pytest.raises(SweepFileError, match="9,000,000 configurations, and 5,000,000"):
        a_sweep(wide)
    with pytest.raises(SweepFileError, match="combinations"):
        a_sweep(wide | {"c": [1, 2, 3]}, where="a < b")


def test_without_strategies_or_with_a_wrong_name_nothing_is_declared():
    with pytest.raises(SweepFileError, match="declares no strategies"):
        Sweep.declare()
    with pytest.raises(SweepFileError, match="no text"):
        Sweep.declare(name=5, strategies={"type": "sma"})
    with pytest.raises(SweepFileError, match="complex"):
        a_sweep({"fast": [1j]})
