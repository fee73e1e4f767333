"""What was moved is where it is, and is what it was: nothing is read again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli.main import main
from catalog.errors import UsageError
from catalog.store.journal import read_facts
from conftest import old_trace, rows
from daily import measure_daily, walks

TRACES = "select trace_id, strategy_key, run_id, is_latest, status from trace_files order by all"
SIGNALS = "select trace_id, bar_index, ts, val from signals order by all"


def known(catalog: Catalog) -> list[object]:
    return [rows(catalog, TRACES), rows(catalog, SIGNALS)]


def write_runs(root: Path) -> None:
    """Write two runs, in which strategies of one name are strategies of one configuration."""
    grid = "traces/SPY_1m/signals/sma_grid"
    old_trace(root / "run_a" / grid / "SPY_sma_grid_5_20.parquet", [1, 0, -1])
    old_trace(root / "run_a" / grid / "SPY_sma_grid_10_50.parquet", [0, 1])
    old_trace(root / "run_b" / grid / "SPY_sma_grid_5_20.parquet", [1, 0])
    (root / "run_b/metadata.json").write_text('{"total_bars": 9}')


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_runs(folder / "runs")
    sweep = {"type": "sma", "name": "sma_grid", "params": {"fast": [5, 10], "slow": [20, 50]}}
    grid = {"symbols": ["SPY"], "strategies": [sweep]}
    (folder / "grid.yaml").write_text(json.dumps(grid))
    Catalog(folder / "catalog.duckdb").register(folder / "runs", sweeps=[folder / "grid.yaml"])
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """The folder of a catalog and of the runs that it knows."""
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def filled(home: Path) -> Catalog:
    return Catalog(home / "catalog.duckdb")


@pytest.mark.parametrize("new", ["home/others", "elsewhere"])
def test_what_was_moved_is_read_from_where_it_is(filled, home, tmp_path, new):
    before = known(filled)
    (home / "runs").rename(tmp_path / new)

    report = filled.relocate(home / "runs", tmp_path / new)

    assert (report.found, report.needs_attention) == (3, False)
    assert known(filled) == before
    again = filled.register(tmp_path / new)
    assert (again.registered, again.unchanged, again.missing) == (0, 3, 0)
    assert rows(filled, "select distinct starts_with(path, $1) from trace_files".replace(
        "$1", f"'{tmp_path / new}/'")) == [(True,)]  # fmt: skip


def test_a_folder_moves_out_of_the_catalogs_own_and_back(filled, home, tmp_path):
    before = known(filled)

    for old, new in ((home / "runs", tmp_path / "out"), (tmp_path / "out", home / "in")):
        old.rename(new)
        filled.relocate(old, new)
        assert known(filled) == before
        assert filled.register(new).unchanged == 3
    with duckdb.connect(str(filled.path)) as con:
        stored = con.sql("select prefix, is_relative from internal.root").fetchall()
    assert stored == [("in/", True)]
    last = list(read_facts(filled.path, "roots"))[-2:]
    assert {(fact["prefix"], bool(fact.get("gone"))) for fact in last} == {
        ("in/", False),
        (f"{tmp_path}/out/", True),
    }


def test_one_run_of_a_root_moves_alone(filled, home, tmp_path):
    before = known(filled)
    (home / "runs/run_b").rename(tmp_path / "run_b")

    filled.relocate(home / "runs/run_b", tmp_path / "run_b")

    assert known(filled) == before
    assert filled.register(home / "runs").missing == 0
    assert filled.register(tmp_path / "run_b").unchanged == 1


def test_a_run_keeps_its_id_under_another_name(filled, home, tmp_path):
    before = known(filled)
    (home / "runs/run_b").rename(home / "runs/renamed")

    report = filled.relocate(home / "runs/run_b", home / "runs/renamed")

    assert report.renamed == ["run_b"]
    assert known(filled) == before
    assert filled.register(home / "runs").registered == 0
    assert {f["run_id"]: f["prefix"] for f in read_facts(filled.path, "runs") if "run_id" in f}[
        "run_b"
    ] == "runs/renamed/"


def test_files_that_are_not_there_are_missing_and_told(filled, home, tmp_path):
    moved = tmp_path / "moved"
    (home / "runs").rename(moved)
    lost = moved / "run_a/traces/SPY_1m/signals/sma_grid/SPY_sma_grid_10_50.parquet"
    lost.unlink()

    report = filled.relocate(home / "runs", moved)

    assert (report.found, report.missing) == (2, [str(lost)])
    assert rows(filled, "select path from missing_files") == [(str(lost),)]
    assert len(filled.sql(SIGNALS)) == 5


def test_what_stayed_behind_is_known_where_it_is(filled, home, tmp_path):
    before = known(filled)
    shutil.copytree(home / "runs", tmp_path / "part")
    shutil.rmtree(tmp_path / "part/run_a")
    shutil.rmtree(home / "runs/run_b")

    report = filled.relocate(home / "runs", tmp_path / "part")

    assert (report.found, report.stayed, report.needs_attention) == (1, 2, False)
    assert known(filled) == before


def test_files_that_a_copy_gave_another_time_are_told_by_their_bytes(filled, home, tmp_path):
    before = known(filled)
    shutil.copytree(home / "runs", tmp_path / "copy", copy_function=shutil.copyfile)
    changed = tmp_path / "copy/run_b/traces/SPY_1m/signals/sma_grid/SPY_sma_grid_5_20.parquet"
    data = bytearray(changed.read_bytes())
    data[8] ^= 1
    changed.write_bytes(data)
    shutil.rmtree(home / "runs")

    report = filled.relocate(home / "runs", tmp_path / "copy")

    assert (report.found, report.retimed, report.changed) == (2, 2, [str(changed)])
    assert rows(filled, "select path, reason from quarantine") == [(str(changed), "changed")]
    assert [row for row in before[1] if row in rows(filled, SIGNALS)] == rows(filled, SIGNALS)


def test_a_trace_that_was_missing_is_there_again(filled, home, tmp_path):
    before = known(filled)
    (home / "runs").rename(tmp_path / "moved")
    (home / "runs").mkdir()
    assert filled.register(home / "runs").missing == 3

    filled.relocate(home / "runs", tmp_path / "moved")

    assert known(filled) == before


def test_a_copy_that_was_registered_takes_the_place(filled, home, tmp_path):
    before = known(filled)
    shutil.copytree(home / "runs", tmp_path / "copy")
    assert len(filled.register(tmp_path / "copy").copies) == 3
    shutil.rmtree(home / "runs")

    report = filled.relocate(home / "runs", tmp_path / "copy")

    assert (report.found, report.missing) == (3, [])
    assert known(filled) == before
    assert rows(filled, "select count(*) from other_files") == [(0,)]


def test_packed_traces_move_without_their_files(filled, home, tmp_path):
    before = known(filled)
    filled.compact(delete_originals=True)
    (home / "runs").rename(tmp_path / "moved")

    report = filled.relocate(home / "runs", tmp_path / "moved")

    assert (report.found, report.packed, report.missing) == (0, 3, [])
    assert known(filled) == before
    assert len(filled.unpack().written) == 3
    assert (tmp_path / "moved/run_a/traces/SPY_1m/signals/sma_grid").is_dir()
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("runs", "nowhere", "There is no folder"),
        ("others", "empty", "knows nothing in"),
        ("runs", "empty", "None of the 3 files"),
        ("runs", "runs", "the same folder"),
        ("runs/run_a/traces/SPY_1m", "empty", "a part of the run"),
        (None, "empty", "belong together"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(filled, home, old, new, said):
    before = known(filled)
    (home / "empty").mkdir()

    with pytest.raises(UsageError, match=said):
        filled.relocate(old and home / old, home / new)

    assert known(filled) == before


PLAIN = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
print(json.dumps([con.sql(query).fetchall() for query in sys.argv[2:]]))
"""
COUNTS = [
    f"select count(*) from {name}"
    for name in ("signals", "bars", "daily_returns", "classifications", "strategy_index")
]


def plain(python: str, path: Path) -> list[object]:
    command = [python, "-c", PLAIN, str(path), *COUNTS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_tree_that_was_copied_works_on_another_machine_after_one_command(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    catalog = Catalog(here / "catalog.duckdb")
    measure_daily(catalog, here / "runs/daily", walks(40, 3))
    catalog.compact(where="strategy_id = 'walk_0'", delete_originals=True)
    trend = here / "runs/old/traces/SPY_1m/classifiers/trend"
    old_trace(trend / "SPY_trend.parquet", ["up", "down"])
    catalog.register(here / "runs")
    before = [rows(catalog, query) for query in (TRACES, *COUNTS)]
    shutil.copytree(here, there, copy_function=shutil.copyfile)
    shutil.rmtree(here)

    copy = Catalog(there / "catalog.duckdb")
    ours_before = [rows(copy, query) for query in (TRACES, *COUNTS)]
    report = copy.relocate()

    assert ours_before == before
    assert (report.found, report.retimed, report.packed) == (3, 3, 1)
    assert [rows(copy, query) for query in (TRACES, *COUNTS)] == before
    plainly = [[list(row) for row in rows] for rows in before[1:]]
    assert plain(sys.executable, copy.path) == plainly
    old_python = os.environ.get("CATALOG_TEST_OLD_PYTHON")
    if old_python is not None:
        assert plain(old_python, copy.path) == plainly
    with duckdb.connect(str(copy.path), read_only=True) as con:
        for table, column in (
            ("packed_trace", "pack_path"),
            ("trace_file", "pack_path"),
            ("price_series", "price_path"),
            ("session_returns", "pack_path"),
            ("root", "prefix"),
            ("directory", "prefix"),
        ):
            query = f"select {column} from internal.{table} where starts_with({column}, '/')"
            assert con.sql(query).fetchall() == []


def test_a_copy_says_which_folders_outside_of_it_are_not_there(filled, home, tmp_path):
    before = known(filled)
    (home / "runs").rename(tmp_path / "runs")
    filled.relocate(home / "runs", tmp_path / "runs")
    shutil.copytree(home, tmp_path / "there")
    (tmp_path / "runs").rename(tmp_path / "gone")
    copy = Catalog(tmp_path / "there/catalog.duckdb")

    report = copy.relocate()

    assert (report.found, len(report.missing), report.lost) == (0, 3, [str(tmp_path / "runs")])
    assert rows(copy, "select count(*) from signals") == [(0,)]
    assert copy.relocate(tmp_path / "runs", tmp_path / "gone").found == 3
    assert known(copy) == before


def test_the_command_says_what_it_found(filled, home, tmp_path):
    (home / "runs").rename(tmp_path / "moved")
    arguments = ["relocate", str(home / "runs"), str(tmp_path / "moved")]

    done = CliRunner().invoke(main, [*arguments, "--catalog", str(filled.path)])

    assert done.exit_code == 0
    assert f"found      3 traces in {tmp_path}/moved" in done.stderr
