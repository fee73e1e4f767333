"""What is nearest to a strategy in its parameters, and in what it does bar by bar."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from click.testing import CliRunner
from compared import write_one, write_states
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog
from catalog.cli import main
from catalog.compare.agreement import Steps, count_agreement
from catalog.errors import QueryError, UsageError
from catalog.traces.write import write_trace
from conftest import old_trace
from markets import copied

POSITIONS = st.sampled_from([-1.0, 0.0, 0.5, 1.0])
TRACES = st.tuples(st.lists(POSITIONS, min_size=1, max_size=20), st.integers(0, 12))


def steps(*traces: tuple[list[float], int], rng: np.random.Generator | None = None) -> Steps:
    """Return what files keep of traces of a value a bar, each from a first bar on."""
    bars, values = [], []
    for held, first in traces:
        # A trace that begins with 0 may or may not say so.
        before = 0.0 if rng is not None and rng.random() < 0.5 else np.nan
        changed = np.flatnonzero(np.diff(held, prepend=before) != 0)
        bars.append(changed + first)
        values.append(np.array(held)[changed])
    return Steps(
        np.concatenate(bars).astype(np.int64),
        np.concatenate(values),
        np.concatenate(([0], np.cumsum([len(one) for one in bars]))),
        np.array([first for _, first in traces]),
        np.array([first + len(held) - 1 for held, first in traces]),
    )


@given(one=TRACES, others=st.lists(TRACES, min_size=1, max_size=5), seed=st.integers(0, 99))
def test_bars_are_counted_as_one_by_one(one, others, seed):
    rng = np.random.default_rng(seed)

    found = count_agreement(steps(one, rng=rng), steps(*others, rng=rng))

    dense = {bar + one[1]: value for bar, value in enumerate(one[0])}
    for place, (held, first) in enumerate(others):
        pairs = [
            (dense[bar + first], value) for bar, value in enumerate(held) if bar + first in dense
        ]
        assert found.bars[place] == len(pairs)
        assert found.equal[place] == sum(a == b for a, b in pairs)
        assert found.same_side[place] == sum(a * b > 0 for a, b in pairs)
        assert found.either[place] == sum(a != 0 or b != 0 for a, b in pairs)


def grid(period: object, mode: object = "sma", **more: object) -> dict:
    return {"type": "band", "parameters": {"period": period, "mode": mode}, **more}


NEAR = {
    "self": (grid(20), [0, 1, 1, 1, -1, -1, 0, 0]),
    "same": (grid(20.0), [0, 1, 1, 1, -1, -1, 0, 0]),
    "p10": (grid(10), [0, 1, 1, 1, -1, -1, 0, 1]),
    "p50": (grid(50), [0, 0, 0, 0, 0, 0, 0, 0]),
    "p100": (grid(100), [0, 1, 1, 1, 1, 1, 0, 0]),
    "ema": (grid(20, "ema"), [0, -1, -1, -1, 1, 1, 1, 1]),
    "day": (grid(20, constraints="intraday"), [0, 0.5, 0.5, 0.5, -1, -1, 0, 0]),
    "words": (grid("auto"), [1] * 8),
    "none": (grid(None), [-1] * 8),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    runs = tmp_path_factory.mktemp("like") / "runs"
    for name, (config, values) in NEAR.items():
        write_one(runs / name, values, config=config, strategy_id=name)
    other = {"type": "other", "parameters": {"period": 20}}
    write_one(runs / "type", NEAR["self"][1], config=other, strategy_id="type")
    write_one(runs / "symbol", NEAR["self"][1], config=other | {"constraints": "x"},
              strategy_id="symbol", symbol="QQQ")  # fmt: skip
    # A few bars only; and the same bars under numbers that begin elsewhere.
    write_one(runs / "few", NEAR["self"][1][:3], config=other | {"constraints": "y"},
              strategy_id="few")  # fmt: skip
    for level, states in ((1, "uuddud"), (2, "uudduu"), (3, "dduudd"), (4, "------")):
        config = {"type": "trend", "parameters": {"level": level}}
        write_states(runs / "states", list(states), config=config)
    for number, (first, day) in enumerate(((0, 26), (7, 26), (0, 27))):
        write_trace(
            runs / "clock", config={"type": "clock", "parameters": {"number": number}},
            strategy_id=f"clock_{number}", symbol="IWM", timeframe="1m",
            bar_index=[first + bar for bar in range(6)],
            ts=[datetime(2024, 3, day, 13, 30 + bar, tzinfo=UTC) for bar in range(6)],
            values=[0, 1, 1, -1, 0, 1], prices=None, first_bar=first, last_bar=first + 5,
        )  # fmt: skip
    for name in ("unknown_1", "unknown_2"):
        old_trace(runs / "old/traces/GLD_1m/signals/grid" / f"{name}.parquet", [1, 0], symbol="GLD")
    made = Catalog(runs.parent / "catalog.duckdb")
    made.register(runs)
    return made


def named(catalog: Catalog, table) -> dict[str, dict]:
    names = dict(catalog.sql("select strategy_key, strategy_id from trace_files").fetchall())
    return {names[row["strategy_key"]]: row for row in table.to_pylist()}


def test_numbers_are_as_far_apart_as_there_are_steps_between_them(made):
    found = named(made, made.like("self", by="parameters", limit=20).parameters)

    # 10, 20, 50 and 100 are three steps; period, mode and constraints vary.
    assert {name: round(row["distance"], 4) for name, row in found.items()} == {
        "p10": 0.1111, "p50": 0.1111, "p100": 0.2222, "ema": 0.3333, "day": 0.3333,
        "words": 0.3333, "none": 0.3333,
    }  # fmt: skip
    assert list(found)[-1] != "p10"
    assert found["p100"]["parameters"] == "period 100"
    assert found["none"]["parameters"] == "period none"
    assert found["words"]["parameters"] == "period auto"
    assert found["day"]["parameters"] == "constraints intraday"


def test_distances_are_the_same_both_ways(made):
    names = [name for name in NEAR if name != "same"]
    far = {
        (a, b): row["distance"]
        for a in names
        for b, row in named(made, made.like(a, by="parameters", limit=20).parameters).items()
    }

    assert {pair: far[pair[::-1]] for pair in far if pair[::-1] in far} == {
        pair: one for pair, one in far.items() if pair[::-1] in far
    }


def test_those_that_hold_the_same_are_nearest_in_behaviour(made):
    found = named(made, made.like("self", by="behaviour", limit=20).behaviour)

    assert list(found)[:3] == ["type", "p10", "p100"]
    assert "same" not in found
    assert {"symbol", "few", "1"}.isdisjoint(found)
    assert (found["type"]["agreement"], found["type"]["in_market"]) == (1.0, 1.0)
    assert (found["p10"]["agreement"], found["p10"]["in_market"]) == (7 / 8, 5 / 6)
    assert (found["p50"]["agreement"], found["p50"]["in_market"]) == (3 / 8, 0.0)
    # Half the position is another position on the same side.
    assert (found["day"]["agreement"], found["day"]["in_market"]) == (5 / 8, 1.0)


def test_classifiers_are_alike_in_their_states(made):
    found = named(made, made.like("1", by="behaviour").behaviour)

    assert [(name, row["agreement"]) for name, row in found.items()] == [
        ("2", 5 / 6), ("3", 1 / 6), ("4", 0.0)
    ]  # fmt: skip
    assert {row["in_market"] for row in found.values()} == {None}


def test_packed_traces_are_found_too(made, tmp_path):
    before = made.like("self", by="behaviour", limit=20)
    packed = copied(made, tmp_path)
    packed.compact()

    assert packed.like("self", by="behaviour", limit=20).behaviour.equals(before.behaviour)


def test_bars_of_the_same_time_are_compared_whatever_their_numbers(made):
    (row,) = made.like("clock_0", by="behaviour").behaviour.to_pylist()

    # The third has the same numbers at times of another day.
    assert (row["strategy_id"], row["agreement"], row["bars"]) == ("clock_1", 1.0, 6)


def test_conditions_narrow_what_is_found_and_not_the_distance(made):
    found = made.like("self", "period>=50", by="parameters").parameters

    assert {name: row["distance"] for name, row in named(made, found).items()} == {
        "p50": pytest.approx(1 / 9), "p100": pytest.approx(2 / 9)
    }  # fmt: skip
    assert made.like("self", strategy_type="other", by="behaviour").behaviour.num_rows == 1


def test_what_is_unknown_is_alike_in_behaviour_only(made):
    found = made.like("unknown_1")

    assert found.parameters is None
    assert "unknown" in found.untold
    assert found.behaviour["agreement"].to_pylist() == [1.0]
    with pytest.raises(QueryError, match="unknown"):
        made.like("unknown_1", by="parameters")
    with pytest.raises(UsageError):
        made.like("self", by="name")
    with pytest.raises(UsageError):
        made.like("self", limit=0)


def test_the_command_prints_a_table_of_each(made):
    def run(*words):
        return CliRunner().invoke(main, ["find", *words, "--catalog", str(made.path)])

    done = run("--like", "self", "--limit", "2")

    assert done.exit_code == 0
    parameters, behaviour = done.stdout.split("nearest in behaviour")
    assert parameters.startswith("nearest in parameters\n")
    assert "period 10" in parameters
    assert "period 100" not in parameters
    assert "0.875" in behaviour
    assert "compared   the traces of 9 others, bar by bar" in done.stderr
    assert "next       catalog diff self " in done.stderr
    assert "nearest in parameters" not in run("--like", "self", "--by", "behaviour").stdout
    assert run("--by", "behaviour").exit_code == 2


def test_composites_are_as_near_as_the_parameters_of_their_components(catalog, tmp_path):
    def both(*periods: object) -> dict:
        parts = [{"type": "rsi", "params": {"period": period}} for period in periods]
        return {"type": "both", "strategies": parts}

    for name, config in (
        ("self", both(10, 5)), ("near", both(20, 5)), ("far", both(30, 50)), ("one", both(10)),
    ):  # fmt: skip
        write_one(tmp_path / "runs", [0, 1], config=config, strategy_id=name)
    catalog.register(tmp_path / "runs")

    rows = catalog.like("self", by="parameters").parameters

    found = named(catalog, rows)
    assert next(iter(found)) == "near"
    assert (round(found["near"]["distance"], 4), found["near"]["differing"]) == (0.1667, 1)
    assert found["near"]["parameters"] == "strategies.0.params.period 20"
    assert round(found["far"]["distance"], 4) == 0.6667
    assert "strategies.1.params.period none" in found["one"]["parameters"]


def test_parameters_beyond_the_last_column_count(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.store.parameters.MOST_COLUMNS", 1)
    for name, slow in (("self", 1), ("far", 9), ("near", 2)):
        config = {"type": "sma", "parameters": {"fast": 5, "slow": slow}}
        write_one(tmp_path / "runs", [0, 1], config=config, strategy_id=name)
    catalog.register(tmp_path / "runs")
    assert catalog.sql("select count(*) from parameters where column_name is null").fetchall() == [
        (1,)
    ]

    rows = catalog.like("self", by="parameters").parameters

    assert [(row["parameters"], row["differing"]) for row in rows.to_pylist()] == [
        ("slow 2", 1), ("slow 9", 1),
    ]  # fmt: skip
