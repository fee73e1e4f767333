"""The file of a catalog becomes as small as what is in it, and says the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from catalog import Catalog
from catalog.errors import CatalogBusyError, StoreError, UsageError
from catalog.store.database import STORAGE_VERSION, writing
from conftest import old_trace, rows

FILES = ["catalog.d", "catalog.duckdb", "runs"]
GRID = "runs/run_a/traces/SPY_1m/signals/sma_grid"
QUERIES = (
    "from trace_files order by all",
    "from strategies order by all",
    "from signals order by all",
    "from tags order by all",
    "select view_name, comment from duckdb_views() where not internal order by all",
    "select table_name, column_name, comment from duckdb_columns() "
    "where comment is not null order by all",
    "select function_name, parameters from duckdb_functions() where schema_name = 'main' "
    "and function_type like '%macro' and not internal order by all",
)


@pytest.fixture
def grown(made: Path, tmp_path: Path) -> Catalog:
    """A catalog of one's own whose file has grown without reason, and its run beside it."""
    shutil.copytree(made, tmp_path / "home")
    return Catalog(tmp_path / "home" / "catalog.duckdb")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of such a catalog."""
    folder = tmp_path_factory.mktemp("made")
    catalog = Catalog(folder / "catalog.duckdb")
    with writing(catalog.path) as con:
        con.execute(
            "create table internal.big as select range as i, hash(range) as h from range(400_000)"
        )
        con.execute("checkpoint")
    # What comes behind it keeps the file from becoming shorter by itself.
    old_trace(folder / GRID / "SPY_sma_grid_5_20.parquet", [1, 0, -1])
    sweep = {
        "type": "sma_crossover",
        "name": "sma_grid",
        "params": {"fast": [5, 10], "slow": [20, 50]},
    }
    (folder / "grid.yaml").write_text(json.dumps({"symbols": ["SPY"], "strategies": [sweep]}))
    catalog.register(folder / "runs", sweeps=[folder / "grid.yaml"])
    (folder / "grid.yaml").unlink()
    catalog.tag("SPY_sma_grid_5_20", tag="good")
    with writing(catalog.path) as con:
        con.execute("drop table internal.big")
    return folder


def said(catalog: Catalog) -> list[list[tuple[object, ...]]]:
    return [rows(catalog, query) for query in QUERIES]


def test_a_file_that_has_grown_becomes_small_and_says_the_same(grown):
    before, size = said(grown), grown.path.stat().st_size
    assert all(before)

    report = grown.vacuum()

    assert (report.size_before, report.size_after) == (size, grown.path.stat().st_size)
    assert report.size_after < size / 2
    assert said(grown) == before


def test_a_file_that_has_nothing_to_gain_is_left_alone(grown):
    grown.vacuum()
    before = os.stat(grown.path)

    report = grown.vacuum()

    assert report.gained == 0
    assert os.stat(grown.path).st_ino == before.st_ino
    assert sorted(os.listdir(grown.path.parent)) == FILES


def test_it_goes_on_working_and_opens_in_older_clients(grown):
    grown.vacuum()

    with duckdb.connect(str(grown.path), read_only=True) as con:
        ((tags,),) = con.execute(
            "select tags from duckdb_databases() where database_name = 'catalog'"
        ).fetchall()
    assert tags["storage_version"].startswith(STORAGE_VERSION)
    old_trace(grown.path.parent / GRID / "SPY_sma_grid_10_50.parquet", [1, 1, 0])
    grown.register(grown.path.parent / "runs")
    assert rows(grown, "select count(*) from signals") == [(6,)]
    assert rows(grown, "select count(*) from strategies") == [(2,)]


def test_a_vacuum_that_is_killed_leaves_the_catalog_as_it_was(grown):
    before = said(grown)
    code = (
        "import sys; from pathlib import Path; import catalog.upkeep.vacuum as v; "
        "v.put_in_place = lambda made, catalog: (print(1, flush=True), input()); "
        "v.vacuum(Path(sys.argv[1]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(grown.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)

    assert (grown.path.with_suffix(".rebuilding")).exists()
    assert said(grown) == before

    assert grown.vacuum().gained > 0
    assert sorted(os.listdir(grown.path.parent)) == FILES
    assert said(grown) == before


def test_a_catalog_that_somebody_writes_to_is_left_alone(grown, monkeypatch):
    monkeypatch.setattr("catalog.store.database.WAIT_SECONDS", 0.2)
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(grown.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(CatalogBusyError):
            grown.vacuum()
        other.stdin.close()


def test_nothing_is_made_where_there_is_no_catalog(tmp_path):
    with pytest.raises(StoreError, match="There is no catalog"):
        Catalog(tmp_path / "catalog.duckdb").vacuum()

    assert not list(tmp_path.iterdir())


def test_nothing_that_users_made_in_it_is_lost(grown):
    with duckdb.connect(str(grown.path)) as con:
        con.execute("create table my_notes (note varchar); insert into my_notes values ('kept')")
        con.execute("create view my_view as from my_notes")
        con.execute("create macro my_macro(a) as a + 1")
    own = ["macro main.my_macro", "table main.my_notes", "view main.my_view"]

    with pytest.raises(UsageError, match=", ".join(own)):
        grown.vacuum()

    with duckdb.connect(str(grown.path)) as con:
        assert con.execute("select my_macro(1), note from my_view").fetchall() == [(2, "kept")]
    lost = grown.rebuild().lost
    assert lost == [f"{one}: it is yours, and in the old catalog" for one in own]


def test_a_trace_whose_file_is_gone_does_not_keep_the_file_large(grown):
    size = grown.path.stat().st_size
    for (path,) in rows(grown, "select path from trace_files where status = 'registered'"):
        os.unlink(path)

    assert grown.vacuum().size_after < size / 2
    assert rows(grown, "select count(*) > 0 from missing_files") == [(True,)]


def test_an_error_names_the_catalog_and_not_the_file_that_is_being_made(grown, monkeypatch):
    def full(*arguments: object) -> None:
        raise duckdb.IOException("No space left on device")

    monkeypatch.setattr("catalog.upkeep.vacuum._copy", full)

    with pytest.raises(StoreError, match=r"catalog\.duckdb was left as it was before"):
        grown.vacuum()
    assert sorted(os.listdir(grown.path.parent)) == FILES
