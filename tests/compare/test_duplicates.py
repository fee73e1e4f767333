"""What was computed twice is found, and what changed though nothing says why."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from compared import SMA, write_one, write_states
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import Catalog
from catalog.cli import main
from catalog.errors import QueryError
from catalog.statements import statement
from catalog.traces.write import write_trace


def with_fast(fast: object) -> dict:
    return {"type": "sma", "parameters": {"fast": fast, "slow": 20}}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A catalog in which much was computed twice, the traces of each test on their own symbol."""
    runs = tmp_path_factory.mktemp("computed") / "runs"
    for run, values in (("a", [0, 1, 1]), ("b", [0, 1, 1]), ("longer", [0, 1, 1, 1])):
        write_one(runs / run, values, symbol="AGAIN", strategy_id="again")
    write_one(runs / "other", [0, -1, 1], symbol="AGAIN", config=with_fast(6))
    for fast, values in (
        (5, [0, 1, -1]),
        (6, [0, 1, -1]),
        (7, [0, 1, -1]),
        (8, [0] * 3),
        (9, [0] * 3),
    ):
        write_one(
            runs / "a", values, config=with_fast(fast), strategy_id=f"s{fast}", symbol="ALIKE"
        )
    for level in (1, 2):
        config = {"type": "trend", "parameters": {"level": level}}
        write_states(runs / "a", ["up", "up", "up"], config=config)
    for name, config in (
        ("whole", with_fast(5)),
        ("decimal", with_fast(5.0)),
        ("numbered", with_fast(5) | {"_position": 7}),
    ):
        write_one(runs / "a", [0, 1, -1], config=config, strategy_id=name, symbol="MEANS")
    made = Catalog(runs.parent / "catalog.duckdb")
    made.register(runs)
    return made


def on(table: pa.Table, symbol: str) -> list[dict]:
    return [row for row in table.to_pylist() if row["symbol"] == symbol]


def test_a_configuration_that_was_traced_in_two_runs_over_one_range_is_repeated(computed):
    (found,) = on(computed.duplicates().repeated.table, "AGAIN")

    assert (found["traces"], found["runs"], found["contents"]) == (2, 2, 1)
    assert found["run_ids"] == ["a", "b"]
    assert (found["first_bar"], found["last_bar"]) == (0, 2)


def test_equal_behaviour_of_other_configurations_is_grouped_and_the_flat_stands_apart(computed):
    found = computed.duplicates()

    (alike,) = on(found.behaviour, "ALIKE")
    assert (alike["strategies"], alike["changes"]) == (3, 3)
    assert alike["strategy_ids"] == ["s5", "s6", "s7"]
    assert [row["strategies"] for row in on(found.flat, "ALIKE")] == [2]
    assert [(row["kind"], row["strategies"]) for row in on(found.flat, "SPY")] == [
        ("classifier", 2)
    ]


def test_what_is_alike_as_far_as_the_shorter_range_goes_is_told(computed, catalog, tmp_path):
    (alike,) = on(computed.duplicates().behaviour, "ALIKE")
    assert (alike["first_bar"], alike["last_bar"], alike["is_one_range"]) == (0, 2, True)
    for fast, values in ((5, [1] * 50), (6, [1] * 2)):
        write_one(tmp_path / "runs", values, config=with_fast(fast), strategy_id=f"s{fast}")
    catalog.register(tmp_path / "runs")

    (found,) = catalog.duplicates().behaviour.to_pylist()
    done = CliRunner().invoke(main, ["duplicates", "--catalog", str(catalog.path)])

    assert (found["first_bar"], found["last_bar"], found["is_one_range"]) == (0, 1, False)
    assert "1 of the shortest" in done.stdout
    assert "ranges     1 of them over several ranges: alike as far as all go" in done.stderr


def test_two_hashes_that_mean_the_same_are_repeated_and_not_alike(computed):
    found = computed.duplicates()

    assert on(found.alike.table, "MEANS") == []
    (repeated,) = on(found.repeated.table, "MEANS")
    assert (repeated["traces"], repeated["runs"], repeated["hashes"]) == (3, 1, 3)


def test_a_condition_keeps_the_groups_with_a_trace_that_meets_it(computed):
    found = computed.duplicates(where="run_id = 'b'")

    assert found.repeated.table["symbol"].to_pylist() == ["AGAIN"]
    assert found.alike.table.num_rows == 0
    with pytest.raises(QueryError):
        computed.duplicates(where="run_id = 'nowhere'")


def test_the_command_tells_the_three_apart(computed):
    def run(*words):
        return CliRunner().invoke(main, ["duplicates", *words, "--catalog", str(computed.path)])

    done, short = run(), run("--limit", "1")
    lines = [json.loads(line) for line in run("--format", "jsonl").stdout.splitlines()]

    assert done.exit_code == 0
    assert "one configuration, traced more than once\n" in done.stdout
    assert "s5 and 2 more" in done.stdout
    assert "repeated   2 configurations, 3 traces more than needed" in done.stderr
    assert "alike      3 configurations, 1 behaviour" in done.stderr
    assert "flat       4 configurations" in done.stderr
    findings = [line["finding"] for line in lines]
    assert findings == ["same configuration"] * 2 + ["same behaviour"] + ["flat"] * 2
    assert "traced more than once (the first 1 of 2)" in short.stdout


CAUSES = {
    "NONE": ({}, {}, "none", None),
    "CODE": ({}, {"code": "other"}, "code", None),
    "DATA": ({}, {"data": "other"}, "data", None),
    "BOTH": ({}, {"data": "other", "code": "other"}, "data and code", None),
    "NOCODE": ({"code": None}, {}, "unknown", "code"),
    "NODATA": ({"data": None}, {"data": None}, "unknown", "data"),
    "PARTLY": ({"data": None}, {"code": "other"}, "code", "data"),
    "NOTIME": ({"timed": False}, {}, "unknown", "first bar time, last bar time"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A catalog of changed traces, those of each test on a symbol of its own."""
    folder = tmp_path_factory.mktemp("changed")
    for symbol, (earlier, later, _, _) in CAUSES.items():
        write_one(folder / "runs" / "a", [0, 1, 1], symbol=symbol, strategy_id=symbol, **earlier)
        write_one(folder / "runs" / "b", [0, 1, 0], symbol=symbol, strategy_id=symbol, **later)
    for run, values, first in (("a", [0, 1, 1], 0), ("b", [0, 1, 0, 0], 0), ("c", [0, -1, 1], 1)):
        write_one(folder / "runs" / run, values, symbol="RANGE", strategy_id="range", first=first)
    for run, number, values in (("a", 5, [0, 1, 1]), ("a", 5.0, [0, 1, 0])):
        write_one(folder / "runs" / run, values, symbol="MEANS", strategy_id=f"means {number}",
                  config=with_fast(number))  # fmt: skip
    for run, code, values in (
        ("z", "1", [0, 1, 1]), ("y", "2", [0, 1, 0]), ("x", "2", [0, 1, 0]), ("w", "3", [0, 0, 1]),
    ):  # fmt: skip
        write_one(folder / "runs" / run, values, symbol="ORDER", strategy_id="order", code=code)
    for day, values in ((26, [0, 1, 1]), (27, [0, 1, -1])):
        times = [datetime(2024, 3, day, 13, 30 + bar, tzinfo=UTC) for bar in range(3)]
        write_trace(
            folder / "runs" / str(day), config=SMA, strategy_id="times", symbol="TIMES",
            timeframe="1m", bar_index=[0, 1, 2], ts=times, values=values, prices=None, first_bar=0,
            last_bar=2, data_digest="d", code_digest="c",
        )  # fmt: skip
    made = Catalog(folder / "catalog.duckdb")
    made.register(folder / "runs")
    return made


def causes(catalog: Catalog, symbol: str) -> list[tuple[str, str | None, str, str]]:
    names = ("cause", "unknown", "earlier_run", "later_run")
    rows = catalog.changed().pairs.table.to_pylist()
    return [tuple(row[name] for name in names) for row in rows if row["symbol"] == symbol]


@pytest.mark.parametrize("symbol", CAUSES)
def test_the_cause_of_a_change_is_told_where_keys_are_known(made, symbol):
    _, _, cause, unknown = CAUSES[symbol]

    assert causes(made, symbol) == [(cause, unknown, "a", "b")]


def test_other_ranges_are_no_change(made):
    assert causes(made, "RANGE") == []


def test_files_of_one_run_that_mean_the_same_and_differ_are_told(made):
    assert causes(made, "MEANS") == [("none", None, "a", "a")]


def test_versions_are_compared_in_the_order_in_which_they_were_made(made):
    assert causes(made, "ORDER") == [("code", None, "z", "y"), ("code", None, "y", "w")]


def test_a_condition_keeps_the_pairs_with_a_trace_that_meets_it(made):
    (pair,) = made.changed(where="run_id = 'a' and symbol = 'CODE'").pairs.table.to_pylist()

    assert (pair["symbol"], pair["earlier_run"], pair["later_run"]) == ("CODE", "a", "b")


def test_an_alarm_is_told_and_ends_with_status_three(made):
    def run(*words):
        return CliRunner().invoke(main, ["changed", *words, "--catalog", str(made.path)])

    done, every, calm = run(), run("--all"), run("--where", "symbol = 'NOCODE'")

    assert (done.exit_code, calm.exit_code) == (3, 0)
    assert "alarm: every key is equal" in done.stdout
    assert "changed, cause unknown" in done.stdout
    assert "changed with its data or code" not in done.stdout
    assert "changed with its data or code" in every.stdout
    assert "alarm" not in calm.stdout
    assert "alarms     2\n" in done.stderr
    assert "explained  1 by other data, 4 by other code, 1 by other data and code" in done.stderr
    (alarm, _) = made.changed().alarms.to_pylist()
    assert f"next       catalog diff {alarm['earlier']} {alarm['later']}" in done.stderr
    written = run("--format", "csv").stdout.splitlines()
    assert len(written) == 1 + 2 + 3


def test_the_same_numbers_at_other_times_are_another_range(made):
    assert causes(made, "TIMES") == []


def test_unknown_configurations_are_not_compared_and_guessed_ranges_are_no_known_key(
    catalog, write_run, write_sweep
):
    folders = [
        write_run(name, {"SPY_sma_grid_5_20": values})
        for name, values in (("a", [1, 0, -1]), ("b", [1, 0, 1]))
    ]
    catalog.register(*folders)

    unknown, twice = catalog.changed(), catalog.duplicates()
    done = CliRunner().invoke(main, ["duplicates", "--catalog", str(catalog.path)])
    catalog.register(*folders, sweeps=[write_sweep(fast=[5], slow=[20])])

    assert (unknown.unknown_configs, unknown.pairs.table.num_rows) == (2, 0)
    assert (twice.repeated.table.num_rows, twice.alike.table.num_rows) == (0, 0)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nothing was computed twice" in done.stderr
    (change,) = causes(catalog, "SPY")
    assert change[0] == "unknown"
    assert "range" in change[1].split(", ")


VERSIONS = st.lists(
    st.tuples(
        st.integers(0, 2),  # content
        st.sampled_from([None, "d", "e"]),
        st.sampled_from([None, "c", "f"]),
        st.sampled_from([None, 1, 2]),  # time of the last bar
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def tables(made):
    """The tables of a catalog in memory; the row of one trace stands for others."""
    con = duckdb.connect()
    con.execute(f"attach '{made.path}' as made (read_only)")
    for name in ("run", "strategy"):
        con.execute(f"create table {name} as from made.internal.{name}")
    con.execute(
        "create table model as from made.internal.trace_file where symbol = 'TIMES' limit 1"
    )
    con.execute("detach made")
    return con


@settings(max_examples=25, deadline=None)
@given(versions=VERSIONS)
def test_every_group_of_equal_keys_with_two_contents_raises_an_alarm(tables, versions):
    rows = [
        {"trace_id": str(number), "content_digest": str(content), "data_digest": data,
         "code_digest": code, "created_at": f"2025-01-01 00:00:{number:02}+00",
         "last_ts": None if last is None else f"2024-03-26 13:3{last}:00+00"}
        for number, (content, data, code, last) in enumerate(versions)
    ]  # fmt: skip
    tables.register("wanted", pa.Table.from_pylist(rows))
    tables.execute(
        "create or replace table trace_file as select model.* replace (w.trace_id as trace_id, "
        "w.content_digest as content_digest, w.data_digest as data_digest, "
        "w.code_digest as code_digest, w.created_at::timestamptz as created_at, "
        "w.last_ts::timestamptz as last_ts) from model, wanted as w"
    )
    found = tables.sql(statement("select_changed"), params={"only": None}).to_arrow_table()

    pairs = [
        (row["cause"], versions[int(row["earlier"])], versions[int(row["later"])])
        for row in found.to_pylist()
    ]
    for cause, a, b in pairs:
        assert a[0] != b[0]
        assert None in (a[3], b[3]) or a[3] == b[3]
        known = [x is not None and y is not None for x, y in zip(a[1:], b[1:], strict=True)]
        differs = [k and x != y for k, x, y in zip(known, a[1:], b[1:], strict=True)]
        if any(differs):
            assert (
                cause
                == {(1, 0): "data", (0, 1): "code", (1, 1): "data and code"}[differs[0], differs[1]]
            )
        else:
            assert cause == ("none" if all(known) else "unknown")
    # Each content of fully known and equal keys is in an alarm, if there are two of them.
    by_keys: dict[tuple, set] = {}
    for content, *keys in versions:
        if None not in keys:
            by_keys.setdefault(tuple(keys), set()).add(content)
    alarmed = {(a[1:], one[0]) for cause, a, b in pairs if cause == "none" for one in (a, b)}
    for keys, contents in by_keys.items():
        expected = {(keys, content) for content in contents} if len(contents) > 1 else set()
        assert {one for one in alarmed if one[0] == keys} == expected


def test_in_the_real_data_one_configuration_changed_and_its_first_bar_is_told(catalog, shared):
    catalog.register(shared / "tracer_output" / "global_store")

    found = catalog.changed()

    # Under one name it ran from the first bar on, and under another from bar 1,000.
    (pair,) = found.pairs.table.to_pylist()
    assert (pair["cause"], pair["unknown"]) == ("unknown", "range, data, code")
    assert pair["earlier_run"] == pair["later_run"] == "global_store"
    (repeated,) = catalog.duplicates().repeated.table.to_pylist()
    assert (repeated["hashes"], repeated["contents"]) == (2, 2)

    # What is said of the two is what their positions are, bar by bar.
    (signal,) = catalog.diff(pair["earlier"], pair["later"]).signals.to_pylist()
    dense = []
    for trace_id in (pair["earlier"], pair["later"]):
        query = f"select bar_index, val from signals where trace_id = '{trace_id}' order by 1"
        held = np.zeros(signal["bars"])
        for bar, value in catalog.sql(query).fetchall():
            held[bar:] = value
        dense.append(held)
    differs = dense[0] != dense[1]
    assert (signal["bars"], signal["first_bar"]) == (2599, int(differs.argmax()))
    assert signal["agree"] == int((~differs).sum())
