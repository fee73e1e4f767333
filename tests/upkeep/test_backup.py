"""A backup is of one moment, whole, and what was lost comes back with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from catalog import Catalog
from catalog.errors import StoreError, UsageError
from conftest import old_trace, rows

ALL = "select * exclude (registered_at) from trace_files order by trace_id"

# A process that registers a run of two traces after another until it is told to stop.
WRITER = """
import sys
import numpy as np
from catalog import write_signals
ts = np.datetime64("2024-03-26T13:30", "us") + np.arange(9) * np.timedelta64(60, "s")
for number in range(1000):
    configs = {f"s{n}": {"type": "sma", "parameters": {"n": 2 * number + n}} for n in (0, 1)}
    write_signals(f"{sys.argv[2]}/run_{number:03}", np.eye(9)[:, :2], configs=configs, symbol="SPY",
                  timeframe="1m", ts=ts, prices=np.arange(1.0, 10.0), catalog=sys.argv[1])
    print(number, flush=True)
"""


@pytest.fixture
def packed(made: Path, tmp_path: Path) -> Catalog:
    """A catalog of one's own with a trace in a file, and one in a pack only."""
    shutil.copytree(made, tmp_path / "home")
    return Catalog(tmp_path / "home" / "catalog.duckdb")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of such a catalog."""
    folder = tmp_path_factory.mktemp("made")
    catalog = Catalog(folder / "catalog.duckdb")
    grid = folder / "runs/run_a/traces/SPY_1m/signals/sma_grid"
    old_trace(grid / "SPY_sma_grid_5_20.parquet", [1, 0, -1])
    old_trace(grid / "SPY_sma_grid_10_20.parquet", [0, 1])
    sweep = {"type": "sma_crossover", "name": "sma_grid", "params": {"fast": [5, 10], "slow": [20]}}
    (folder / "grid.yaml").write_text(json.dumps({"symbols": ["SPY"], "strategies": [sweep]}))
    catalog.register(folder / "runs", sweeps=[folder / "grid.yaml"])
    catalog.compact(where="param_fast = 5", delete_originals=True)
    catalog.tag("SPY_sma_grid_10_20", tag="good")
    return folder


def test_a_backup_holds_the_catalog_and_all_that_lies_beside_it(packed, tmp_path):
    report = packed.backup(tmp_path / "safe")

    names = {str(one.relative_to(tmp_path / "safe")) for one in report.path.rglob("*")}
    side = packed.path.with_suffix(".d")
    beside = {f"catalog.d/{one.relative_to(side)}" for one in side.rglob("*")}
    assert names == {"catalog.duckdb", "catalog.d", "backup.json"} | beside - {"catalog.d/lock"}
    assert (report.traces, report.with_packs) == (2, True)
    assert not list(side.glob(".*"))
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_what_was_lost_comes_back_with_a_backup(packed, tmp_path):
    before = rows(packed, ALL), rows(packed, "from signals order by all")
    packed.backup(tmp_path / "safe")
    packed.path.write_bytes(b"nonsense")
    shutil.rmtree(packed.path.with_suffix(".d"))

    # As the help of the command says.
    shutil.copytree(tmp_path / "safe", packed.path.parent, dirs_exist_ok=True)

    assert (rows(packed, ALL), rows(packed, "from signals order by all")) == before
    assert rows(packed, "select tag from tags") == [("good",)]
    assert packed.rebuild().differences == []


def test_packs_can_be_left_out(packed, tmp_path):
    report = packed.backup(tmp_path / "safe", packs=False)

    assert not report.with_packs
    assert not (tmp_path / "safe" / "catalog.d" / "packs").exists()
    assert (tmp_path / "safe" / "catalog.d" / "runs.jsonl").exists()


def test_nothing_is_overwritten_that_is_no_backup_or_was_not_meant(packed, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    packed.backup(tmp_path / "safe")
    first = os.stat(tmp_path / "safe" / "catalog.duckdb").st_ino

    with pytest.raises(UsageError, match="is there already"):
        packed.backup(tmp_path / "safe")
    with pytest.raises(UsageError, match="is no backup"):
        packed.backup(mine, overwrite=True)
    with pytest.raises(UsageError, match="is a file"):
        packed.backup(mine / "thesis.txt", overwrite=True)
    for own in (packed.path.parent, packed.path.with_suffix(".d") / "safe"):
        with pytest.raises(UsageError, match="own folder"):
            packed.backup(own, overwrite=True)
    assert os.stat(tmp_path / "safe" / "catalog.duckdb").st_ino == first

    packed.backup(tmp_path / "safe", overwrite=True)

    assert os.stat(tmp_path / "safe" / "catalog.duckdb").st_ino != first
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == []


def test_a_backup_that_fails_leaves_nothing_and_an_earlier_one_as_it_was(
    packed, tmp_path, monkeypatch
):
    packed.backup(tmp_path / "safe")
    first = os.stat(tmp_path / "safe" / "catalog.duckdb").st_ino
    full = "import sys; sys.exit('catalog.duckdb: No space left on device')"
    monkeypatch.setattr("catalog.store.copying._COPY", full)

    with pytest.raises(StoreError, match="No space left on device"):
        packed.backup(tmp_path / "safe", overwrite=True)

    assert os.stat(tmp_path / "safe" / "catalog.duckdb").st_ino == first
    assert not list(tmp_path.glob(".safe*"))
    assert not list(packed.path.with_suffix(".d").glob(".*"))


def test_a_backup_is_of_one_moment_while_another_process_writes(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    catalog = Catalog(home / "catalog.duckdb")
    command = [sys.executable, "-c", WRITER, str(catalog.path), str(home / "runs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        for _ in range(2):
            writer.stdout.readline()
        sizes = []
        for number in range(3):
            report = catalog.backup(tmp_path / f"safe_{number}")
            sizes.append(report.traces)
            writer.stdout.readline()
        writer.kill()

    for number, traces in enumerate(sizes):
        with duckdb.connect(str(tmp_path / f"safe_{number}" / "catalog.duckdb")) as copy:
            counted = copy.execute(
                "select count(*), count(distinct run_id), min(n) from trace_files join "
                "(select run_id, count(*) as n from trace_files group by all) using (run_id)"
            ).fetchall()
        noted = (tmp_path / f"safe_{number}" / "catalog.d" / "runs.jsonl").read_text().splitlines()
        # Whole runs, each of them noted: a run is registered in one transaction.
        assert counted == [(traces, traces // 2, 2)]
        assert len(noted) == traces // 2
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0] >= 4


def test_the_copy_is_counted(packed, tmp_path, monkeypatch):
    def miscount(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
        return {"trace_file": np.random.default_rng().integers(1 << 40)}

    monkeypatch.setattr("catalog.upkeep.backup._count", miscount)

    with pytest.raises(StoreError, match="other rows"):
        packed.backup(tmp_path / "safe")

    assert not (tmp_path / "safe").exists()


def test_a_catalog_that_is_not_there_is_not_made_by_a_backup(tmp_path):
    with pytest.raises(StoreError, match="There is no catalog"):
        Catalog(tmp_path / "catalog.duckdb").backup(tmp_path / "safe")

    assert list(Path(tmp_path).iterdir()) == []


def test_a_catalog_in_use_is_not_overwritten_by_whichever_name(packed, tmp_path):
    home, live = packed.path.parent, tmp_path / "live"
    (tmp_path / "link").symlink_to(home)
    with pytest.raises(UsageError, match="own folder"):
        packed.backup(tmp_path / "link", overwrite=True)

    # Somebody else's, that looks like a backup; and a backup that has become a catalog.
    packed.backup(live)
    (live / "backup.json").rename(tmp_path / "marker")
    with pytest.raises(UsageError, match="is no backup"):
        packed.backup(live, overwrite=True)
    (tmp_path / "marker").rename(live / "backup.json")
    Catalog(live / "catalog.duckdb").tag("SPY_sma_grid_10_20", tag="mine")
    with pytest.raises(UsageError, match="used as a catalog"):
        packed.backup(live, overwrite=True)

    assert rows(Catalog(live / "catalog.duckdb"), "select count(*) from tags") == [(2,)]


def test_what_a_killed_backup_left_is_put_back_or_removed(packed, tmp_path):
    packed.backup(tmp_path / "safe")
    first = os.stat(tmp_path / "safe" / "catalog.duckdb").st_ino
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    # As whoever is killed between the two names leaves it.
    (tmp_path / "safe").rename(tmp_path / f".safe.{dead.pid}.old")
    (tmp_path / f".safe.{dead.pid}.tmp").mkdir()

    with pytest.raises(UsageError, match="is there already"):
        packed.backup(tmp_path / "safe")
    assert os.stat(tmp_path / "safe" / "catalog.duckdb").st_ino == first

    (tmp_path / f".safe.{dead.pid}.old").mkdir()
    report = packed.backup(tmp_path / "safe", overwrite=True)

    assert len(report.left_before) == 1
    assert not list(tmp_path.glob(".safe*"))
