"""What is forgotten stays so, its file stays where it is, and nothing points nowhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli.main import main
from catalog.errors import QueryError, StoreError, UsageError
from conftest import old_trace, rows, touch_later
from daily import measure_daily, walks

TRACES = "select trace_id, run_id, strategy_key, is_latest from trace_files order by all"
GRID = "traces/SPY_1m/signals/grid"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    catalog = Catalog(folder / "catalog.duckdb")
    measure_daily(catalog, folder / "runs/daily", walks(40, 4))
    for n in range(3):
        old_trace(folder / "runs/old" / GRID / f"SPY_grid_{n}.parquet", [1, 0, -1][: n + 1])
    trend = folder / "runs/old/traces/SPY_1m/classifiers/trend/SPY_trend.parquet"
    old_trace(trend, ["up", "down"])
    catalog.register(folder / "runs")
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """The folder of a catalog and of the runs that it knows."""
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def filled(home: Path) -> Catalog:
    return Catalog(home / "catalog.duckdb")


def files(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*.parquet") if "catalog.d" not in str(path))


def dangling(catalog: Catalog) -> list[str]:
    """The paths of registered traces that are neither there nor in a pack that is there."""
    query = "select path, pack_path from trace_files where status = 'registered'"
    return [
        str(path)
        for path, pack in rows(catalog, query)
        if not os.path.exists(str(pack if pack is not None else path))
    ]


def test_rows_are_forgotten_and_files_are_not(filled, home):
    before, ids = files(home / "runs"), rows(filled, TRACES)

    report = filled.forget(run="old")

    assert (report.traces, report.files, report.deleted, report.kept) == (4, 4, 0, {})
    assert files(home / "runs") == before
    assert rows(filled, "select distinct run_id from trace_files") == [("daily",)]
    assert rows(filled, "select count(*) from runs") == [(1,)]
    assert rows(filled, "select count(*) from strategies where strategy_type is null") == [(0,)]
    assert rows(filled, "select count(*) from signals where run_id = 'old'") == [(0,)]

    again = filled.register(home / "runs")

    assert (again.registered, again.ignored["forgotten"], again.needs_attention) == (0, 4, False)
    reasons = "select reason, count(*) from other_files group by all"
    assert rows(filled, reasons) == [("forgotten", 4)]

    filled.register(home / "runs", forgotten=True)

    assert rows(filled, TRACES) == ids
    assert rows(filled, reasons) == []


def test_what_changes_comes_back_and_what_only_has_another_time_does_not(filled, home):
    filled.forget(run="old")
    (home / "runs/old/metadata.json").write_text('{"total_bars": 9}')
    touch_later(home / "runs/old" / GRID / "SPY_grid_0.parquet")
    old_trace(home / "runs/old" / GRID / "SPY_grid_2.parquet", [0, 1, 0])

    report = filled.register(home / "runs")

    query = "select strategy_id from trace_files where run_id = 'old'"
    assert rows(filled, query) == [("SPY_grid_2",)]
    assert any("forgotten before" in warning for warning in report.warnings)
    assert filled.register(home / "runs").ignored["forgotten"] == 3


def test_a_catalog_that_is_made_anew_knows_what_was_forgotten(filled, home):
    filled.forget("SPY_grid_0")
    filled.forget("SPY_grid_1")
    filled.register(home / "runs", forgotten=True)
    filled.forget("SPY_grid_1")
    filled.path.unlink()

    filled.register(home / "runs")

    query = "select strategy_id from trace_files where run_id = 'old' and kind = 'signal'"
    assert rows(filled, f"{query} order by all") == [("SPY_grid_0",), ("SPY_grid_2",)]


def test_figures_go_and_the_ledger_of_trials_does_not(filled, home):
    tried = "select count(*), count(distinct content_digest) from internal.trial"
    before = internal(filled, tried)
    others = "select m.* from metrics as m join trace_files using (trace_id) "
    others += "where strategy_id <> 'walk_1' order by all"
    kept = rows(filled, others)

    filled.forget("walk_1")

    assert internal(filled, tried) == before
    assert rows(filled, others) == kept
    assert internal(filled, "select count(distinct trace_id) from internal.metric") == [(3,)]
    assert rows(filled, "select count(distinct trace_id) from daily_returns") == [(3,)]
    assert filled.metrics().measured == 0


def internal(catalog: Catalog, query: str) -> list[tuple[object, ...]]:
    import duckdb

    with duckdb.connect(str(catalog.path), read_only=True) as con:
        return con.execute(query).fetchall()


def test_another_trace_of_the_configuration_is_the_latest_then(filled, home):
    shutil.copytree(home / "runs/daily", home / "runs/again", ignore=lambda folder, names: (
        [name for name in names if name.startswith("walk_") and name != "walk_0.parquet"]
    ))  # fmt: skip
    filled.register(home / "runs")
    query = "select run_id from trace_files where strategy_id = 'walk_0' and is_latest"
    ((latest,),) = rows(filled, query)

    filled.forget("walk_0", run=str(latest))

    assert rows(filled, query) == [("again" if latest == "daily" else "daily",)]


def test_only_the_files_of_these_traces_are_deleted(filled, home):
    before = files(home / "runs")
    changed = home / "runs/old" / GRID / "SPY_grid_2.parquet"
    touch_later(changed)

    report = filled.forget(run="old", delete_files=True)

    assert (report.traces, report.deleted) == (4, 3)
    assert report.kept == {"it has changed since it was registered": 1}
    left = [path for path in before if "/old/" not in path or path == str(changed)]
    assert files(home / "runs") == left
    assert filled.register(home / "runs").missing == 0
    assert dangling(filled) == []


def test_a_copy_of_a_forgotten_trace_is_passed_over_and_not_deleted(filled, home):
    shutil.copytree(home / "runs/old", home / "copy/old")
    filled.register(home)

    report = filled.forget(run="old", delete_files=True)
    again = filled.register(home)

    assert report.deleted == 4
    assert len(files(home / "copy")) == 4
    assert (again.registered, again.ignored["forgotten"]) == (0, 4)
    with pytest.raises(QueryError):
        filled.forget(run="old", delete_files=True)
    assert len(files(home / "copy")) == 4
    assert filled.register(home / "copy", forgotten=True).registered == 4


def test_what_is_in_packs_only_is_not_lost_unless_that_is_asked_for(filled, home):
    filled.compact(delete_originals=True)
    query = "select trace_id, bar_index, val from signals where run_id = 'daily' order by all"
    before, packs = rows(filled, query), list((home / "catalog.d/packs").glob("*.parquet"))

    with pytest.raises(UsageError, match="3 of these traces are in packs only"):
        filled.forget(run="old")
    report = filled.forget(run="old", delete_files=True)

    assert (report.traces, report.files, report.deleted) == (4, 1, 1)
    assert rows(filled, query) == before
    assert list((home / "catalog.d/packs").glob("*.parquet")) == packs
    filled.forget(run="daily", delete_files=True)
    assert list((home / "catalog.d/packs").glob("*")) == []
    assert rows(filled, "select count(*) from signals") == [(0,)]


def test_packed_traces_whose_files_are_there_are_read_from_them_when_they_come_back(filled, home):
    before = rows(filled, "select trace_id, bar_index, val from signals order by all")
    filled.compact()

    filled.forget(where="true")

    assert list((home / "catalog.d/packs").glob("*.parquet")) == []
    filled.register(home / "runs", forgotten=True)
    assert rows(filled, "select trace_id, bar_index, val from signals order by all") == before


def test_what_is_missing_is_forgotten_by_that(filled, home):
    shutil.rmtree(home / "runs/old")
    filled.register(home / "runs")

    assert filled.forget(missing=True).traces == 4

    assert rows(filled, "select count(*) from missing_files") == [(0,)]
    with pytest.raises(QueryError, match="No trace is meant"):
        filled.forget(missing=True)


def test_nothing_is_forgotten_in_a_trial_or_against_somebodys_will(filled):
    before = rows(filled, TRACES)

    assert filled.forget(where="true", dry_run=True, delete_files=True).traces == 7
    assert filled.forget(where="true", confirm=lambda report: False).is_cancelled
    with pytest.raises(UsageError, match="Nothing is named"):
        filled.forget()
    with pytest.raises(QueryError):
        filled.forget("no such strategy")

    assert rows(filled, TRACES) == before


def test_the_command_does_not_delete_unasked(filled, home):
    catalog = ["--catalog", str(filled.path)]
    run = CliRunner().invoke

    refused = run(main, ["forget", "--run", "old", "--delete-files", *catalog])
    shown = run(main, ["forget", "--run", "old", "--dry-run", *catalog])
    done = run(main, ["forget", "--run", "old", "--delete-files", "--yes", *catalog])

    assert (refused.exit_code, shown.exit_code, done.exit_code) == (2, 0, 0)
    assert "4 traces of 4 strategies in 1 run" in shown.stderr
    assert "deleted    4 files" in done.stderr
    assert not [path for path in files(home / "runs") if "/old/" in path]


CHILD = """
import os, signal, sys
import catalog.upkeep.forget as forgetting
from catalog import Catalog

point, number = sys.argv[2], int(sys.argv[3])
called = 0
original = getattr(forgetting, point)

def killed(*arguments, **options):
    global called
    called += 1
    if called == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)

setattr(forgetting, point, killed)
Catalog(sys.argv[1]).forget(run="old", delete_files=True)
"""


@pytest.mark.parametrize(
    ("point", "number"),
    [
        ("delete_unchanged", 3),
        pytest.param("write_forgotten", 1, marks=pytest.mark.soak),
        pytest.param("remove_emptied", 1, marks=pytest.mark.soak),
        pytest.param("pass_over_no_more", 1, marks=pytest.mark.soak),
    ],
)
def test_whoever_is_killed_leaves_no_row_without_its_file(filled, home, point, number):
    filled.compact(where="strategy_id = 'SPY_grid_0'", delete_originals=True)
    command = [sys.executable, "-c", CHILD, str(filled.path), point, str(number)]

    killed = subprocess.run(command, capture_output=True, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert dangling(filled) == []
    filled.sql("select count(*) from signals")
    # Who deletes files next completes it.
    filled.forget("walk_3", delete_files=True)
    assert not [path for path in files(home / "runs") if "/old/" in path]
    assert list((home / "catalog.d/packs").glob("*")) == []
    assert rows(filled, "select distinct run_id from trace_files") == [("daily",)]
    assert filled.register(home / "runs").ignored["forgotten"] == 0


def test_what_failed_is_taken_back_and_deletes_nothing_later(filled, home, monkeypatch):
    before, known = files(home / "runs"), rows(filled, TRACES)

    def full(*arguments: object) -> None:
        raise StoreError("The disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("catalog.upkeep.forget.write_forgotten", full)
        with pytest.raises(StoreError, match="full"):
            filled.forget(run="old", delete_files=True)
    assert filled.forget("walk_3", confirm=lambda report: False).pending == []
    filled.forget("walk_2", delete_files=True, dry_run=True)
    assert (files(home / "runs"), rows(filled, TRACES)) == (before, known)

    report = filled.forget("walk_3", delete_files=True)

    assert (report.finished, len(before) - len(files(home / "runs"))) == (0, report.deleted)
    assert report.deleted == 1


def test_what_was_left_to_be_deleted_is_named_and_waits_for_somebody_who_confirms(
    filled, home, monkeypatch
):
    def stopped(file: object) -> int:
        raise KeyboardInterrupt

    old = [path for path in files(home / "runs") if "/old/" in path]
    with monkeypatch.context() as patched:
        patched.setattr("catalog.upkeep.forget.delete_unchanged", stopped)
        with pytest.raises(KeyboardInterrupt):
            filled.forget(run="old", delete_files=True)

    assert filled.forget("walk_3", confirm=lambda report: False).pending == old
    assert filled.forget("walk_3", delete_files=True, confirm=lambda report: False).pending == old
    assert filled.forget("walk_3").pending == old
    assert [path for path in files(home / "runs") if "/old/" in path] == old

    report = filled.forget(run="old", delete_files=True)

    assert (report.traces, report.finished) == (0, len(old))
    assert not [path for path in files(home / "runs") if "/old/" in path]
