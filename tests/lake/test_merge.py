"""One catalog takes another one's rows in: all of them, once, or none."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from same import ELSEWHERE, NUMBERED, contents, differing

from catalog import Catalog
from catalog.errors import CatalogBusyError, HashCollisionError, MigrationError, UsageError
from catalog.store.database import writing
from conftest import old_trace, rows
from published import make_catalog

SEEN = {"seen_at", "error"}
FIXTURES = Path(__file__).parents[1] / "store" / "fixtures"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("first"), seed=1, traces=2)


def test_a_merged_catalog_says_what_the_other_one_says(first, tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")

    report = catalog.merge(first)

    assert report.traces == rows(first, "select count(*) from trace_files")[0][0]
    assert not report.needs_attention
    # Trace files stay where they are; prices and session returns are beside this one too.
    assert differing(first, catalog, besides={"source_path", "modified_at"} | _BESIDE) == {}
    assert catalog.verify().findings == []


_BESIDE = {"pack_path", "trace_number", "root", "path"}


def test_a_second_merge_changes_nothing(first, tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    catalog.merge(first)
    before = contents(catalog, besides=set())

    report = catalog.merge(first.path)

    assert (report.traces, report.strategies, report.runs, report.tags) == (0, 0, 0, 0)
    assert contents(catalog, besides=set()) == before


VALUES = st.lists(st.sampled_from([1, 0, -1]), min_size=1, max_size=3)
RUNS = st.dictionaries(
    st.sampled_from(["run_a", "run_b", "run_c"]),
    st.dictionaries(st.sampled_from(["SPY_x_1", "SPY_x_2"]), VALUES, min_size=1, max_size=2),
    min_size=1,
    max_size=2,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("commute")


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=RUNS, other=RUNS, is_copied=st.booleans(), tagged=st.booleans())
def test_two_catalogs_merge_in_any_order(place, one, other, is_copied, tagged):
    folder = place / str(time.time_ns())
    catalogs = []
    for name, runs in (("one", one), ("other", other)):
        catalog = Catalog(folder / name / "catalog.duckdb")
        for run, traces in runs.items():
            for strategy_id, values in traces.items():
                # Runs of one id that differ would get other ids, in the order of merging.
                run_id = run if is_copied and one.get(run) == other.get(run) else f"{run}_{name}"
                path = folder / name / run_id / "traces/SPY_1m/signals/g" / f"{strategy_id}.parquet"
                old_trace(path, values)
        catalog.register(folder / name)
        if tagged:
            key = rows(catalog, "select min(strategy_key) from strategies")[0][0]
            catalog.tag(str(key), "good", note=name)
        catalogs.append(catalog)
    merged = []
    for number, order in enumerate((catalogs, catalogs[::-1])):
        merged.append(Catalog(folder / f"merged_{number}" / "catalog.duckdb"))
        merged[-1].path.parent.mkdir()
        for catalog in order:
            merged[-1].merge(catalog)

    assert differing(*merged, besides=ELSEWHERE | NUMBERED | SEEN) == {}


def test_a_trace_that_both_have_is_one_and_the_other_file_a_copy(write_run, tmp_path):
    one, other = Catalog(tmp_path / "one.duckdb"), Catalog(tmp_path / "other.duckdb")
    run = write_run("run_a", {"SPY_x_1": [1, 0], "SPY_x_2": [0, 1]})
    one.register(run)
    other.register(shutil.copytree(run, tmp_path / "copied" / "run_a"))

    report = one.merge(other)

    assert (report.traces, report.runs, report.renamed) == (0, 0, {})
    assert rows(one, "select count(*) from signals") == [(4,)]
    assert rows(one, "select status, count(*) from other_files group by all") == [("copy", 2)]
    assert one.verify().findings == []


def test_another_run_of_the_same_id_is_called_as_register_would_call_it(write_run, tmp_path):
    catalogs = [Catalog(tmp_path / f"{name}.duckdb") for name in ("one", "other", "registered")]
    mine = write_run("run_a", {"SPY_x_1": [1, 0]}, root=tmp_path / "mine")
    theirs = write_run("run_a", {"SPY_x_1": [0, -1]}, root=tmp_path / "theirs")
    catalogs[0].register(mine)
    catalogs[1].register(theirs)
    catalogs[2].register(mine)
    catalogs[2].register(theirs)

    report = catalogs[0].merge(catalogs[1])

    ids = [rows(one, "select run_id, trace_id from trace_files order by all") for one in catalogs]
    assert ids[0] == ids[2]
    assert list(report.renamed) == ["run_a"]
    assert catalogs[0].merge(catalogs[1]).traces == 0
    assert catalogs[0].verify().findings == []


def test_what_only_a_pack_holds_is_copied(write_run, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "new").mkdir()
    other = Catalog(tmp_path / "home" / "catalog.duckdb")
    other.register(write_run("run_a", {"SPY_x_1": [1, 0], "SPY_x_2": [0, 1]}))
    other.compact(delete_originals=True)
    catalog = Catalog(tmp_path / "new" / "catalog.duckdb")

    report = catalog.merge(other)

    assert report.packed == 2
    assert differing(catalog, other) == {}
    shutil.rmtree(tmp_path / "home")
    assert rows(catalog, "select count(*) from signals") == [(4,)]
    assert catalog.verify(deep=True).findings == []
    catalog.path.unlink()
    assert catalog.rebuild().traces == 2


def test_two_configurations_of_one_hash_are_refused(first, tmp_path):
    catalog, other = Catalog(tmp_path / "one.duckdb"), Catalog(tmp_path / "other.duckdb")
    catalog.merge(first)
    other.merge(first)
    with writing(other.path) as con:
        con.execute("update internal.strategy set config_digest = strategy_hash || '0'")
    before = contents(catalog, besides=set())

    with pytest.raises(HashCollisionError, match="share the hash"):
        catalog.merge(other)

    assert contents(catalog, besides=set()) == before


def test_a_catalog_of_an_older_program_is_to_be_brought_up_to_date_first(tmp_path):
    with tarfile.open(FIXTURES / "schema_0005.tar.xz") as tar:
        tar.extractall(tmp_path / "older", filter="data")
    older = tmp_path / "older" / "catalog.duckdb"
    size = older.stat().st_size

    with pytest.raises(MigrationError, match="older program") as refused:
        Catalog(tmp_path / "catalog.duckdb").merge(older)

    assert f"catalog info --catalog {older}" in str(refused.value.hint)
    assert older.stat().st_size == size


def test_the_catalog_itself_is_refused(first):
    with pytest.raises(UsageError, match="the catalog itself"):
        first.merge(first)


def test_a_catalog_that_somebody_writes_to_is_busy(first, tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.store.database.WAIT_SECONDS", 0.2)
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(first.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        holder.stdout.readline()

        with pytest.raises(CatalogBusyError, match="in use by process"):
            Catalog(tmp_path / "catalog.duckdb").merge(first)
    finally:
        holder.communicate(b"\n")


KILLED = """
import os, signal, sys
from catalog import Catalog
import catalog.lake.merge as merging
step = int(sys.argv[3])
def stop(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
names = ["copy_returns", "take_in", "write_missing_trials", "refresh_views"]
setattr(merging, names[step], stop)
Catalog(sys.argv[1]).merge(sys.argv[2])
"""


@pytest.mark.parametrize("step", range(4))
def test_whoever_is_killed_half_way_leaves_the_catalog_as_it_was(first, step, write_run, tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    catalog.register(write_run("mine", {"SPY_y_1": [1, 0]}))
    before = contents(catalog, besides=set())

    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(catalog.path), str(first.path), str(step)], check=False
    )

    assert done.returncode == -signal.SIGKILL
    assert contents(catalog, besides=set()) == before
    if step == 3:
        catalog.merge(first)
        expected = rows(first, "select count(*) + 1 from trace_files")
        assert rows(catalog, "select count(*) from trace_files") == expected
        assert catalog.verify().findings == []


def test_the_command_says_what_came(first, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "catalog", "merge", os.fspath(first.path)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == ""
    assert done.stderr.startswith("merged")
    with duckdb.connect(str(tmp_path / "catalog.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) > 5 from trace_files").fetchone() == (True,)
