"""Runs are listed with what is wrong with them, and two of them compared."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner
from compared import SMA, write_one, write_states

from catalog import Catalog
from catalog.cli import main
from catalog.errors import QueryError
from catalog.store.database import writing
from conftest import old_trace
from markets import copied

OTHER = {"type": "sma", "parameters": {"fast": 6}}
TREND = {"type": "trend", "parameters": {"level": 1}}


def with_fast(fast: object) -> dict:
    return {"type": "sma", "parameters": {"fast": fast}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs") / "runs"
    for number, name, before, after in (
        (1, "same", [0, 1, 1], [0, 1, 1]),
        (2, "changed", [0, 1, 1], [0, 1, 0]),
        (3, "gone", [0, 1, -1], None),
        (4, "new", None, [0, 1, -1]),
        (5, "longer", [0, 1, 1], [0, 1, 1, -1]),
        (6, "repainted", [0, 1, 1], [0, 1, -1, -1]),
    ):
        for run, values, config in (
            # 1 and 1.0 are one configuration.
            ("march", before, with_fast(number)),
            ("april", after, with_fast(float(number))),
        ):
            if values is not None:
                write_one(runs / run, values, config=config, strategy_id=f"{name} {run}")
    write_states(runs / "march", ["up", "up", "down"], config=TREND)
    write_states(runs / "april", ["up", "up", "down", "up"], config=TREND)
    write_one(runs / "march", [0, 1], config=SMA, symbol="QQQ", strategy_id="QQQ")
    for run, value in (("march", 1), ("april", -1)):
        folder = runs / run / "traces" / "SPY_1m" / "signals" / "grid"
        old_trace(folder / "unknown.parquet", [value, 0], bars=[0, 5])
    (runs / "april" / "traces" / "signals" / "bad.parquet").write_bytes(b"PAR1")
    made = Catalog(runs.parent / "catalog.duckdb")
    made.register(runs)
    return made


def findings(found) -> dict[str, str]:
    return {
        (row["id_a"] or row["id_b"]).split()[0]: row["finding"]
        for row in found.rows.table.to_pylist()
    }


def test_runs_are_listed_with_their_traces_and_what_is_wrong(made, tmp_path):
    there = copied(made, tmp_path)
    next((tmp_path / "home" / "runs" / "march").rglob("same*.parquet")).unlink()
    there.register(tmp_path / "home" / "runs")

    rows = {row["run_id"]: row for row in there.runs().table.to_pylist()}

    march, april = rows["march"], rows["april"]
    assert (march["signals"], march["classifiers"], march["missing"]) == (6, 1, 1)
    assert (april["signals"], april["classifiers"], april["missing"]) == (6, 1, 0)
    assert (march["quarantined"], april["quarantined"]) == (0, 1)
    assert march["data"] == ["QQQ 1m", "SPY 1m"]
    assert (april["strategies"], april["unknown_configs"]) == (7, 1)
    assert april["created_at"] > march["created_at"]
    sizes = (tmp_path / "home" / "runs" / "april").rglob("*.parquet")
    assert april["size_bytes"] == sum(path.stat().st_size for path in sizes) - 4


def test_two_runs_are_compared_by_what_their_configurations_mean(made):
    found = made.diff_runs("march", "april")

    assert findings(found) == {
        "same": "same content", "changed": "changed content", "gone": "only in a",
        "new": "only in b", "longer": "other range", "repainted": "other range",
        "1": "other range", "QQQ": "only in a", "unknown": "changed content",
    }  # fmt: skip
    assert found.counts["changed content"] == 2
    assert found.differing.num_rows == 8
    first = found.rows.table["finding"].to_pylist()
    assert first == sorted(first, key=list(found.counts).index)


def test_where_ranges_are_not_the_same_the_bars_that_both_have_can_be_compared(made):
    found = made.diff_runs("march", "april", overlap=True)

    assert findings(found) == findings(made.diff_runs("march", "april")) | {
        "longer": "same where both are",
        "repainted": "changed where both are",
        "1": "same where both are",
    }
    assert found.unread == {}


def test_traces_over_several_ranges_are_compared_range_by_range(catalog, tmp_path):
    run = tmp_path / "runs"
    for name, values in (("a", [0, 1]), ("a", [0, 1, 1, -1]), ("b", [0, 1, 1, -1])):
        write_one(run / name, values, strategy_id=f"{name}{len(values)}")
    catalog.register(run)

    rows = catalog.diff_runs("a", "b").rows.table.to_pylist()

    assert [(row["finding"], row["id_a"], row["id_b"]) for row in rows] == [
        ("other range", "a2", "b4"), ("same content", "a4", "b4"),
    ]  # fmt: skip
    assert [(row["last_bar_a"], row["last_bar_b"]) for row in rows] == [(1, 3), (3, 3)]


def test_a_configuration_that_one_run_does_not_tell_goes_by_the_name(catalog, write_run, tmp_path):
    write_run("a", {"sma_1": [1, 0], "sma_2": [1, -1]})
    write_run("b", {"sma_1": [1, 0], "sma_3": [1, -1]})
    catalog.register(tmp_path / "runs")
    with writing(catalog.path) as con:
        # What a's records say, b's may not.
        con.execute(
            "insert into internal.strategy by name select * replace ('h' as strategy_key, "
            "'h' as strategy_hash, 'k' as config_key) from internal.strategy "
            "where strategy_key = 'a/sma_1'"
        )
        con.execute(
            "update internal.trace_file set strategy_key = 'h', strategy_hash = 'h' "
            "where run_id = 'a' and strategy_id = 'sma_1'"
        )

    for a, b in (("a", "b"), ("b", "a")):
        rows = catalog.diff_runs(a, b).rows.table.to_pylist()
        assert [(row["finding"], row["id_a"], row["id_b"]) for row in rows] == [
            ("only in a", "sma_2" if a == "a" else "sma_3", None),
            ("only in b", None, "sma_3" if a == "a" else "sma_2"),
            ("same content", "sma_1", "sma_1"),
        ]
        assert rows[-1]["strategy_hash"] == "h"


def test_a_run_goes_by_its_beginning_its_end_its_name_or_its_folder(made):
    (root,) = made.sql("select root from runs where run_id = 'march'").fetchall()[0]

    assert made.diff_runs("marc", root.replace("march", "april")).run_b == "april"
    with pytest.raises(QueryError, match="No run goes by"):
        made.diff_runs("march", "may")
    with pytest.raises(QueryError, match="the same run"):
        made.diff_runs("march", "march")


def test_runs_of_one_name_are_told_apart_by_their_ids(catalog, tmp_path):
    for folder, values in (("x", [0, 1]), ("y", [0, -1]), ("z", [1, 0])):
        write_one(tmp_path / folder / "run", values)
    catalog.register(*(tmp_path / folder for folder in "xyz"))
    ids = sorted(row["run_id"] for row in catalog.runs().table.to_pylist())

    assert catalog.diff_runs("run", ids[1]).counts["changed content"] == 1
    begin = ids[1][:4]
    with pytest.raises(QueryError, match=f"2 runs go by '{begin}'") as error:
        catalog.diff_runs("run", begin)
    assert "run_id" in error.value.hint


def test_the_commands_list_and_compare(made):
    def run(*words):
        return CliRunner().invoke(main, ["runs", *words, "--catalog", str(made.path)])

    listed, done = run(), run("diff", "march", "april")
    every = [
        *csv.DictReader(
            run("diff", "march", "april", "--all", "--format", "csv").stdout.splitlines()
        )
    ]
    rows = json.loads(run("--format", "json").stdout)
    before = CliRunner().invoke(
        main, ["runs", "--catalog", str(made.path), "diff", "march", "april"]
    )

    assert (listed.exit_code, done.exit_code) == (0, 0)
    assert "QQQ 1m, SPY 1m" in listed.stdout
    assert "files      1 quarantined" in listed.stderr
    assert "next       catalog runs diff march april" in listed.stderr
    assert "traced     2 changed content\n" in done.stderr
    assert "same content" not in done.stdout
    assert "next       catalog diff " in done.stderr
    assert [row["run_id"] for row in rows] == ["april", "march"]
    assert len(every) == 9
    assert before.stdout == done.stdout


def test_names_that_a_shell_would_take_apart_are_quoted(catalog, tmp_path):
    for name, values in (("my run;1", [0, 1]), ("other run", [0, 1, 1])):
        write_one(tmp_path / "runs" / name, values, strategy_id="one")
    catalog.register(tmp_path / "runs")

    def run(*words):
        return CliRunner().invoke(main, ["runs", *words, "--catalog", str(catalog.path)]).stderr

    assert "catalog runs diff 'my run;1' 'other run'" in run()
    assert "catalog runs diff 'my run;1' 'other run' --overlap" in run(
        "diff", "my run;1", "other run"
    )
