"""Packs hold what the files held, and the views say the same before and after."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, write_signals
from catalog.errors import CatalogError
from catalog.traces.trace_table import read_trace_table, same_content
from catalog.upkeep import compact as compacting
from catalog.upkeep.lost import release_lost
from conftest import old_trace, rows

ALL = "select s.* exclude (run_id) from signals s order by all"
HOLDINGS = "select * from holdings order by all"
COLUMNS = "describe signals"


@pytest.fixture
def swept(filled: Path, tmp_path: Path) -> Catalog:
    """A copy of that folder, and its catalog."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return Catalog(tmp_path / "catalog.duckdb")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalog of 24 traces of ours in two runs, and five older ones."""
    folder = tmp_path_factory.mktemp("filled")
    catalog = Catalog(folder / "catalog.duckdb")
    random = np.random.default_rng(3)
    for run in ("one", "two"):
        configs = {f"{run}_{n}": {"type": "sma", "parameters": {"n": n}} for n in range(12)}
        values = random.integers(-1, 2, (60, 12)) / 2
        values[:, 3] = 0
        write_signals(
            folder / "runs" / run, values, configs=configs, symbol="SPY", timeframe="1m",
            ts=np.datetime64("2024-03-26T13:30", "us") + np.arange(60) * np.timedelta64(60, "s"),
            prices=100 + random.random(60), catalog=catalog.path,
        )  # fmt: skip
    old = folder / "old" / "traces" / "SPY_1m" / "signals" / "grid"
    for n in range(3):
        old_trace(old / f"SPY_grid_{n}.parquet", [1, 0, -1, 1][: n + 1])
    old_trace(old / "SPY_grid_9.parquet", [1, 0], wall_clock=True)
    old_trace(folder / "old/traces/SPY_1m/classifiers/trend/SPY_trend.parquet", ["up", "down"])
    catalog.register(folder / "old")
    return folder


def everything(catalog: Catalog) -> list[object]:
    return [catalog.sql(query).fetchall() for query in (ALL, HOLDINGS, COLUMNS)]


def packs(catalog: Catalog) -> list[str]:
    return sorted(os.listdir(catalog.path.with_suffix(".d") / "packs"))


def test_the_views_say_the_same_from_packs(swept):
    before = everything(swept)

    report = swept.compact()

    assert (report.traces, report.packs, report.left) == (28, 1, {})
    assert everything(swept) == before
    assert rows(swept, "select count(*) from trace_files where pack_path is not null") == [(28,)]
    assert len(packs(swept)) == 2


def test_plain_duckdb_reads_the_packs_too(swept):
    import duckdb

    before = swept.sql(ALL).fetchall()
    swept.compact(delete_originals=True)

    with duckdb.connect(str(swept.path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        assert con.sql(ALL).fetchall() == before


def test_a_part_is_packed_and_the_rest_stays_loose(swept):
    before = everything(swept)

    report = swept.compact(run="one")

    assert report.traces == 12
    assert everything(swept) == before
    assert swept.compact(where="run_id = 'two' and not is_flat").traces == 11
    assert everything(swept) == before


def test_small_packs_are_written_into_the_next_one(swept):
    before = everything(swept)

    swept.compact(run="one")
    swept.compact()

    assert len(packs(swept)) == 2
    assert everything(swept) == before
    assert swept.compact().packs == 0


def test_traces_that_come_later_are_read_beside_the_packs(swept, tmp_path):
    swept.compact()
    count = len(swept.sql(ALL))

    old_trace(tmp_path / "old/traces/SPY_1m/signals/grid/SPY_grid_late.parquet", [1, -1])
    swept.register(tmp_path / "old")

    assert len(swept.sql(ALL)) == count + 2
    swept.compact()
    assert len(swept.sql(ALL)) == count + 2


def test_a_file_that_changed_is_read_anew_and_its_old_rows_are_not(swept, tmp_path):
    swept.compact()
    path = tmp_path / "old/traces/SPY_1m/signals/grid/SPY_grid_2.parquet"

    old_trace(path, [1, 0, 1, 0, 1, 0])
    swept.register(tmp_path / "old")

    query = "select val from signals where strategy_id = 'SPY_grid_2' order by bar_index"
    assert rows(swept, query) == [(1.0,), (0.0,)] * 3


def test_a_file_that_changed_before_it_is_read_stays_loose(swept, tmp_path):
    old_trace(tmp_path / "old/traces/SPY_1m/signals/grid/SPY_grid_2.parquet", [1, 0, 1, 0])
    (tmp_path / "old/traces/SPY_1m/signals/grid/SPY_grid_1.parquet").unlink()

    report = swept.compact()

    assert report.left == {"changed since it was registered": 1, "gone": 1}


def test_registering_again_changes_nothing(swept, tmp_path):
    before = everything(swept)
    swept.compact()

    report = swept.register(tmp_path / "old", tmp_path / "runs")

    assert (report.registered, len(report.quarantined)) == (0, 0)
    assert everything(swept) == before


def test_deleted_originals_are_read_from_the_pack_and_written_again(swept, tmp_path):
    before = everything(swept)
    files = [
        Path(path) for (path,) in rows(swept, "select path from trace_files where kind = 'signal'")
    ]
    held = {path: read_trace_table(path) for path in files}

    report = swept.compact(delete_originals=True)

    assert (report.deleted, report.kept) == (28, {})
    assert not any(path.exists() for path in files)
    assert everything(swept) == before
    assert rows(swept, "select distinct trace_path = pack_path from strategy_index "
                       "join trace_files using (trace_id)") == [(True,)]  # fmt: skip
    swept.register(tmp_path / "old", tmp_path / "runs")
    assert everything(swept) == before
    assert rows(swept, "select count(*) from missing_files") == [(0,)]

    unpacked = swept.unpack()

    assert len(unpacked.written) == 28
    assert all(same_content(held[path], read_trace_table(path)) for path in files)
    assert everything(swept) == before
    assert rows(swept, "select distinct trace_path = path from strategy_index "
                       "join trace_files using (trace_id)") == [(True,)]  # fmt: skip
    assert swept.unpack().there == 28


def test_lateral_reads_find_the_rows_of_deleted_originals(swept):
    query = (
        "with s as (from strategy_index where not is_flat) "
        "select s.strategy_id, t.* from s cross join read_parquet(s.trace_path) t order by all"
    )
    before = swept.sql(query).fetchall()

    swept.compact(delete_originals=True)

    assert swept.sql(query).fetchall() == before
    assert len(before) > 100


def test_an_exported_index_reads_from_the_packs(swept, tmp_path, monkeypatch):
    swept.compact(run="one", delete_originals=True)
    monkeypatch.chdir(tmp_path)
    swept.export_strategy_index(tmp_path / "strategy_index.parquet")

    query = (
        "select s.strategy_id, count(*) from read_parquet('strategy_index.parquet') s "
        "cross join read_parquet(s.trace_path) t group by all order by all"
    )
    expected = "select strategy_id, count(*) from signals group by all order by all"
    assert swept.sql(query).fetchall() == swept.sql(expected).fetchall()


def test_a_damaged_pack_deletes_nothing(swept):
    swept.compact()
    (pack,) = (swept.path.with_suffix(".d") / "packs").glob("*.parquet")
    data = bytearray(pack.read_bytes())
    data[200:264] = bytes(64)
    pack.write_bytes(data)

    report = swept.compact(delete_originals=True)

    assert report.deleted == 0
    assert report.kept == {"the pack is damaged": 28}


def test_an_original_that_changed_is_not_deleted(swept, tmp_path):
    swept.compact()
    path = tmp_path / "old/traces/SPY_1m/signals/grid/SPY_grid_2.parquet"
    old_trace(path, [1, 0, 1, 0])

    report = swept.compact(delete_originals=True)

    assert (report.deleted, report.kept) == (27, {"its file is not what was registered": 1})
    assert path.exists()


def test_unpack_writes_into_a_folder_and_registers_nothing_there(swept, tmp_path):
    swept.compact(delete_originals=True)

    report = swept.unpack(where="run_id = 'one'", to=tmp_path / "shared")

    assert len(report.written) == len(list((tmp_path / "shared").rglob("*.parquet"))) == 12
    assert rows(swept, "select count(*) from trace_files where has_original") == [(0,)]


def test_a_catalog_that_moved_with_its_packs_reads_them(swept, tmp_path):
    swept.compact(delete_originals=True)
    before = swept.sql(ALL).fetchall()

    elsewhere = tmp_path.rename(tmp_path.with_name("elsewhere"))

    assert Catalog(elsewhere / "catalog.duckdb").sql(ALL).fetchall() == before


def test_every_generation_comes_back_as_it_was(catalog, shared, tmp_path):
    old = shared / "old_traces"
    some = (old / "complete_strategy_grid_v1_12778120", old / "june_2025")
    catalog.register(*some, shared / "tracer_output")
    before = catalog.sql("select * from signals order by all").fetchall()
    paths = dict(rows(catalog, "select trace_id, path from trace_files where kind = 'signal'"))

    report = catalog.compact()
    assert report.left.total() + report.traces == len(paths)
    assert report.traces > 400
    assert catalog.sql("select * from signals order by all").fetchall() == before

    places = {Path(p).name: p for p in catalog.unpack(to=tmp_path / "out").written}
    assert len(places) > 400
    for written in sorted(places.values())[::4]:
        again = read_trace_table(written)
        relative = Path(written).relative_to(tmp_path / "out")
        originals = [p for p in paths.values() if p.endswith(str(Path(*relative.parts[1:])))]
        assert any(same_content(read_trace_table(p), again) for p in originals), written


CHILD = """
import sys
from catalog import Catalog
import catalog.upkeep.compact
print("go", flush=True)
Catalog(sys.argv[1]).compact(delete_originals=sys.argv[2] == "delete")
"""


@pytest.mark.parametrize("delete", ["keep", "delete"])
def test_a_compaction_that_is_killed_loses_and_doubles_nothing(swept, delete):
    before = everything(swept)
    for delay in (0.0, 0.06, 0.14, 0.3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(swept.path), delete], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()

        assert everything(swept) == before
        swept.unpack()
        assert everything(swept) == before

    swept.compact()
    assert everything(swept) == before
    assert len(packs(swept)) == 2


def test_writers_go_on_while_a_compaction_runs(swept, tmp_path):
    code = """
import sys
from catalog import Catalog
for _ in range(2):
    Catalog(sys.argv[1]).compact()
"""
    child = subprocess.Popen([sys.executable, "-c", code, str(swept.path)])
    count = len(swept.sql(ALL))
    for n in range(8):
        values = np.array([[1.0], [0.0], [1.0]])
        write_signals(
            tmp_path / "runs" / f"late_{n}", values, symbol="SPY", catalog=swept.path,
            configs={f"late_{n}": {"type": "late", "parameters": {"n": n}}},
        )  # fmt: skip
    assert child.wait() == 0

    assert len(swept.sql(ALL)) == count + 24
    swept.compact()
    assert len(swept.sql(ALL)) == count + 24


def test_a_full_disk_leaves_everything_as_it_was(swept, tmp_path):
    small = swept.path.with_suffix(".d") / "packs"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        before = everything(swept)

        with pytest.raises(CatalogError) as full:
            swept.compact()

        assert "No space left" in str(full.value)
        assert os.listdir(small) == []
        assert everything(swept) == before
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_pack_that_is_gone_gives_way_to_the_files(swept):
    before = everything(swept)
    swept.compact()
    for path in (swept.path.with_suffix(".d") / "packs").iterdir():
        path.unlink()

    with pytest.raises(CatalogError) as refused:
        swept.sql("from signals")
    assert refused.value.hint is not None and "catalog compact" in refused.value.hint
    report = swept.compact()

    assert (report.traces, report.left) == (28, {})
    assert everything(swept) == before


def test_what_was_in_a_lost_pack_only_is_missing_when_that_is_asked_for(swept):
    swept.compact(run="one", delete_originals=True)
    for path in (swept.path.with_suffix(".d") / "packs").iterdir():
        path.unlink()
    before = rows(swept, "from missing_files")

    with pytest.raises(CatalogError, match="12 traces were only in packs that are gone"):
        swept.compact()
    assert rows(swept, "from missing_files") == before == []
    release_lost(swept.path)  # As `catalog verify --repair` does.
    report = swept.compact()

    assert (report.traces, report.left) == (16, {})
    assert rows(swept, "select count(*) from missing_files") == [(12,)]
    assert rows(swept, "select count(distinct trace_id) from signals") == [(16,)]


def test_who_is_stopped_just_after_the_commit_keeps_the_packs(swept, monkeypatch):
    before = everything(swept)

    def stopped(*arguments: object) -> None:
        insert(*arguments)
        raise KeyboardInterrupt

    insert = compacting._insert_whatever_is_gone
    with monkeypatch.context() as patched:
        patched.setattr(compacting, "_insert_whatever_is_gone", stopped)
        with pytest.raises(KeyboardInterrupt):
            swept.compact()

    assert len([name for name in packs(swept) if name.endswith(".parquet")]) == 1
    assert rows(swept, "select count(*) from trace_files where pack_path is not null") == [(28,)]
    assert everything(swept) == before


def test_a_damaged_pack_does_not_stop_later_ones(swept, tmp_path):
    before = everything(swept)
    swept.compact()
    (pack,) = (swept.path.with_suffix(".d") / "packs").glob("*.parquet")
    data = bytearray(pack.read_bytes())
    data[200:264] = bytes(64)
    pack.write_bytes(data)
    old_trace(tmp_path / "old/traces/SPY_1m/signals/grid/SPY_grid_0.parquet", [1])

    old_trace(tmp_path / "more/traces/SPY_1m/signals/grid/SPY_grid_x.parquet", [1, -1])
    swept.register(tmp_path / "more")
    report = swept.compact()

    # What only the damaged pack holds keeps it; all else is in a sound one.
    assert report.left == {"its pack is damaged": 1}
    assert len(packs(swept)) == 4
    query = "select count(*) from trace_files where pack_path like '%' || $name"
    assert swept.sql(query, {"name": pack.name}).fetchall() == [(1,)]
    others = "select count(*) from signals where strategy_id <> 'SPY_grid_0'"
    assert rows(swept, others) == [(len(before[0]) - 1 + 2,)]


def test_a_run_called_like_a_path_is_unpacked_below_the_folder(catalog, write_run, tmp_path):
    catalog.register(write_run(metadata={"run_id": "../../evil"}))
    catalog.compact()

    (written,) = catalog.unpack(to=tmp_path / "deep" / "out").written

    assert Path(written).resolve().is_relative_to(tmp_path / "deep" / "out")


def test_a_lateral_read_of_a_pack_needs_the_trace(swept):
    swept.compact(delete_originals=True)
    query = (
        "with p as (select trace_path from strategy_index) "
        "select * from p, read_parquet(p.trace_path) t"
    )

    with pytest.raises(CatalogError, match="names a pack"):
        swept.sql(query)
