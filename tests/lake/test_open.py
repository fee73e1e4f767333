"""A catalog over a published lake says what the catalog says that published it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from same import ELSEWHERE, NOT_PUBLISHED, NUMBERED, analysis, contents, differing

from catalog import Catalog
from catalog.errors import LakeError, QueryError
from catalog.lake.lake import read_lake
from catalog.store.database import writing
from conftest import old_trace, rows
from daily import measure_daily, walks
from published import make_catalog

RELATIONS = ("signals", "classifications", "orders", "fills", "positions", "holdings")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("origin"), seed=1, traces=2)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("second"), seed=2, traces=2)


@pytest.fixture(scope="module")
def lake(origin: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake that only the origin published to."""
    place = tmp_path_factory.mktemp("published") / "lake"
    origin.publish(place)
    return place


@pytest.fixture(scope="module")
def opened(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    catalog = Catalog(tmp_path_factory.mktemp("opened") / "catalog.duckdb")
    catalog.open(lake)
    return catalog


@pytest.fixture
def own(opened: Catalog, tmp_path: Path) -> Catalog:
    """A catalog of one's own that has the lake open."""
    return Catalog(shutil.copytree(opened.path.parent, tmp_path / "own") / opened.path.name)


@pytest.fixture(scope="module")
def union(lake: Path, second: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same lake with another writer's part."""
    place = shutil.copytree(lake, tmp_path_factory.mktemp("union") / "lake")
    second.publish(place)
    return place


@pytest.fixture(scope="module")
def opened_union(union: Path) -> Catalog:
    catalog = Catalog(union.parent / "catalog.duckdb")
    catalog.open(union)
    return catalog


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, of catalog `a` that knows them, its lake, and `b` that has it open."""
    folder = tmp_path_factory.mktemp("begun")
    for run, name, values in (("a", "1", [1, 0]), ("a", "2", [0, 1]), ("b", "3", [1, -1])):
        grid = folder / f"runs/run_{run}/traces/SPY_1m/signals/grid"
        old_trace(grid / f"SPY_x_{name}.parquet", values)
    Catalog(folder / "a.duckdb").register(folder / "runs")
    Catalog(folder / "a.duckdb").publish(folder / "lake")
    Catalog(folder / "b.duckdb").open(folder / "lake")
    return folder


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> Path:
    """A copy of that folder: who publishes from it again is another writer."""
    return Path(shutil.copytree(begun, tmp_path / "folder"))


def test_every_view_over_a_lake_says_what_it_says_where_it_was_published(origin, opened):
    assert rows(origin, "select count(*) > 8 from trace_files") == [(True,)]
    assert differing(origin, opened, without=NOT_PUBLISHED) == {}


def test_any_duckdb_client_reads_the_rows_of_an_opened_lake(origin, opened):
    with duckdb.connect(str(opened.path), read_only=True) as con:
        found = {name: con.execute(f"select count(*) from {name}").fetchone() for name in RELATIONS}

    assert found == {name: rows(origin, f"select count(*) from {name}")[0] for name in RELATIONS}


def test_a_query_reads_only_the_files_of_the_lake_that_have_its_traces(opened):
    (choice,) = opened.explain("from signals where symbol = 'BRK.B'").choices

    assert (choice.traces, choice.chosen.files, choice.chosen.lake_files) == (1, 0, 1)
    assert rows(opened, "select count(*) from signals where symbol = 'BRK.B'") == [(2,)]


def test_a_trace_of_a_lake_has_no_file_of_its_own(opened):
    query = "select t.* from strategy_index as s cross join read_parquet(s.trace_path) as t"

    with pytest.raises(QueryError, match="only a lake has") as refused:
        opened.sql(query)

    assert "join signals" in str(refused.value.hint)


def test_nothing_of_an_opened_catalog_is_called_missing_or_wrong(opened):
    assert opened.verify(deep=True).findings == []


def test_verify_says_which_files_of_a_lake_are_gone_or_cut(lake, tmp_path):
    place = Path(shutil.copytree(lake, tmp_path / "there"))
    catalog = Catalog(tmp_path / "of_it.duckdb")
    catalog.open(place)
    gone, cut = (one.place for one in read_lake(place).files("signals")[:2])
    os.unlink(gone)
    os.truncate(cut, 100)

    findings = {(one.finding, one.path) for one in catalog.verify(fast=True).findings}

    assert {("missing lake file", gone), ("changed lake file", cut)} <= findings


def test_opening_again_changes_nothing(lake, opened):
    before = contents(opened, besides=set())

    report = opened.open(lake)

    assert (report.traces, report.strategies, report.runs, report.tags) == (0, 0, 0, 0)
    assert contents(opened, besides=set()) == before


def test_a_lake_of_several_writers_opens_as_their_union(origin, second, union, opened_union):
    merged = Catalog(union.parent / "merged.duckdb")
    merged.merge(second)
    merged.merge(origin)

    counts = [rows(one, "select count(*) from trace_files")[0][0] for one in (origin, second)]
    assert rows(opened_union, "select count(*) from trace_files") == [(sum(counts),)]
    besides = ELSEWHERE | NUMBERED
    assert differing(opened_union, merged, besides=besides, without=NOT_PUBLISHED) == {}


def test_what_two_writers_publish_both_is_there_once(origin, lake, opened, tmp_path):
    both = shutil.copytree(lake, tmp_path / "lake")
    origin.publish(both, writer="0123456789ab")
    twice = Catalog(tmp_path / "opened.duckdb")

    report = twice.open(both)

    assert report.writers == 2
    assert differing(opened, twice) == {}


def test_opening_again_takes_what_is_new_and_drops_what_left(write_run, tmp_path):
    origin, opened = Catalog(tmp_path / "a.duckdb"), Catalog(tmp_path / "b.duckdb")
    origin.register(write_run("run_a", {"SPY_x_1": [1, 0], "SPY_x_2": [0, 1]}))
    origin.publish(tmp_path / "lake")
    opened.open(tmp_path / "lake")
    origin.register(write_run("run_b", {"SPY_x_3": [1, -1]}))
    origin.forget(run="run_a")
    origin.publish(tmp_path / "lake")

    report = opened.open(tmp_path / "lake")

    assert (report.traces, report.runs) == (-1, 0)
    assert rows(opened, "select run_id, strategy_id from trace_files") == [("run_b", "SPY_x_3")]
    assert rows(opened, "select run_id from runs") == [("run_b",)]
    assert rows(opened, "select val from signals order by idx") == [(1.0,), (-1.0,)]


def test_tags_and_figures_that_left_the_lake_go_and_those_made_here_stay(tmp_path):
    origin, opened = Catalog(tmp_path / "a.duckdb"), Catalog(tmp_path / "b.duckdb")
    measure_daily(origin, tmp_path / "run", walks(30, 3), fills=("close", "next_open"))
    origin.tag("walk_0", "theirs")
    origin.tag("walk_1", "both")
    origin.publish(tmp_path / "lake")
    opened.open(tmp_path / "lake")
    opened.tag("walk_1", "both", note="mine")
    opened.tag("walk_2", "mine")
    opened.metrics(cost_bps=5)
    origin.untag("walk_0", "theirs")
    origin.untag("walk_1", "both")
    with writing(origin.path) as con:
        con.execute("delete from internal.metric where set_id = 2")
        con.execute("delete from internal.session_returns where fill = 'next_open'")
    origin.publish(tmp_path / "lake")

    report = opened.open(tmp_path / "lake")

    assert report.tags == -1
    tags = "select tag, note from tags order by all"
    assert rows(opened, tags) == [("both", "mine"), ("mine", None)]
    figures = "select fill, cost_bps, count(*) from metrics group by all order by all"
    assert rows(opened, figures) == [("close", 0.0, 3), ("close", 5.0, 3)]
    with duckdb.connect(str(opened.path), read_only=True) as con:
        kept = con.execute("select fill, count(*) from internal.session_returns group by all")
        assert kept.fetchall() == [("close", 3)]
    origin.forget(where="param_number = 0")
    origin.publish(tmp_path / "lake")
    opened.open(tmp_path / "lake")
    assert rows(opened, figures) == [("close", 0.0, 2), ("close", 5.0, 2)]
    assert opened.verify().findings == []


def test_a_trace_that_is_here_and_in_the_lake_is_one(folder):
    origin, opened = Catalog(folder / "a.duckdb"), Catalog(folder / "b.duckdb")
    shutil.copytree(folder / "runs", folder / "here")

    opened.register(folder / "here")

    assert differing(origin, opened, besides=ELSEWHERE | {"registered_at", "seen_at"}) == {}
    assert rows(opened, "select distinct path like '%/here/%' from trace_files") == [(True,)]
    opened.open(folder / "lake")
    assert rows(opened, "select count(*) from signals") == [(6,)]
    assert opened.verify().findings == []


def test_what_was_forgotten_here_stays_so_until_it_is_brought_back(folder):
    origin, opened = Catalog(folder / "a.duckdb"), Catalog(folder / "b.duckdb")
    opened.forget("SPY_x_1")
    opened.forget(run="run_b")

    again = opened.open(folder / "lake")

    assert (again.traces, again.forgotten) == (0, 2)
    assert rows(opened, "select strategy_id from trace_files") == [("SPY_x_2",)]
    assert rows(opened, "select run_id from runs") == [("run_a",)]
    assert rows(opened, "select count(*) from signals") == [(2,)]
    assert opened.verify().findings == []
    opened.rebuild()
    assert rows(opened, "select strategy_id from trace_files") == [("SPY_x_2",)]
    back = opened.open(folder / "lake", forgotten=True)
    assert (back.traces, back.runs, back.forgotten) == (2, 1, 0)
    assert differing(origin, opened, without=NOT_PUBLISHED) == {}


def test_a_file_that_is_gone_is_read_from_the_lake(folder):
    catalog = Catalog(folder / "a.duckdb")
    catalog.open(folder / "lake")
    (folder / "runs/run_a/traces/SPY_1m/signals/grid/SPY_x_1.parquet").unlink()

    catalog.register(folder / "runs")

    assert rows(catalog, "select count(*) from missing_files") == [(0,)]
    assert rows(catalog, "select count(*) from signals") == [(6,)]
    assert catalog.verify().findings == []


def test_traces_that_only_a_lake_has_are_measured(second, opened_union):
    for one in (second, opened_union):
        one.metrics(cost_bps=3)

    query = "select trace_id, total_return, trades from metrics where cost_bps = 3 order by all"
    assert set(rows(second, query)) <= set(rows(opened_union, query))
    assert len([one for one in rows(second, query) if one[1] is not None]) == 4


def test_compacting_leaves_what_is_in_a_lake_there(own):
    before = contents(own, *RELATIONS)

    report = own.compact(delete_originals=True)

    assert (report.traces, report.packs) == (0, 0)
    assert contents(own, *RELATIONS) == before


def test_a_catalog_over_a_lake_is_rebuilt_from_the_lake(origin, own):
    own.path.unlink()

    report = own.rebuild()

    assert report.lost == []
    assert differing(origin, own, without=NOT_PUBLISHED) == {}


def test_a_rebuild_says_which_lake_is_gone(folder):
    shutil.rmtree(folder / "lake")

    report = Catalog(folder / "b.duckdb").rebuild()

    assert [one for one in report.lost if str(folder / "lake") in one]


def test_what_a_lake_has_is_published_on_to_another_and_to_the_same(origin, opened, lake, tmp_path):
    again = shutil.copytree(lake, tmp_path / "again")

    for place in (tmp_path / "another", again):
        assert opened.publish(place).left == {}
        catalog = Catalog(place.with_suffix(".duckdb"))
        catalog.open(place)
        assert differing(origin, catalog, without=NOT_PUBLISHED) == {}


def test_a_bundle_of_what_a_lake_alone_has_is_refused(opened, tmp_path):
    with pytest.raises(QueryError, match="lie in a lake") as refused:
        opened.bundle(tmp_path / "bundle")

    assert "catalog open LAKE" in str(refused.value.hint)
    assert not (tmp_path / "bundle").exists()


def test_an_index_is_exported_from_an_opened_catalog(origin, opened, tmp_path):
    counts = [
        one.export_strategy_index(tmp_path / f"{n}.parquet")
        for n, one in enumerate((origin, opened))
    ]

    assert counts[0] == counts[1] > 0


def test_a_catalog_moves_together_with_a_lake_below_its_folder(origin, tmp_path):
    (tmp_path / "before").mkdir()
    origin.publish(tmp_path / "before" / "lake")
    Catalog(tmp_path / "before" / "catalog.duckdb").open(tmp_path / "before" / "lake")
    (tmp_path / "before").rename(tmp_path / "after")

    moved = Catalog(tmp_path / "after" / "catalog.duckdb")

    assert contents(moved, "signals") == contents(origin, "signals")
    assert moved.relocate().missing == []
    assert contents(moved, "signals") == contents(origin, "signals")


def test_a_lake_on_object_storage_opens_alike(bucket, write_run, tmp_path):
    origin, opened = Catalog(tmp_path / "a.duckdb"), Catalog(tmp_path / "b.duckdb")
    origin.register(write_run("run_a", {"SPY_x_1": [1, 0], "SPY_x_2": [0, 1]}))
    origin.publish(f"{bucket}/lake")

    opened.open(f"{bucket}/lake")

    for query in ("from signals order by all", "from holdings order by all"):
        assert rows(opened, query) == rows(origin, query) != []
    assert opened.verify().findings == []


def test_a_lake_that_is_not_there_or_lost_a_file_is_said_and_changes_nothing(lake, tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    with pytest.raises(LakeError, match="There is no lake"):
        catalog.open(tmp_path / "nothing")
    broken = shutil.copytree(lake, tmp_path / "broken")
    next((broken / "trace_files").glob("*.parquet")).unlink()

    with pytest.raises(LakeError, match="cannot be read"):
        catalog.open(broken)

    assert not catalog.path.exists() or rows(catalog, "select count(*) from trace_files") == [(0,)]


def remove(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def overwrite_the_end(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-64] + bytes(64))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (remove, "is gone, and the lake's manifest names it"),
        (cut, "is damaged: it has"),
        (overwrite_the_end, "cannot be read"),
    ],
)
def test_a_lake_whose_rows_are_not_whole_is_refused_by_the_name_of_the_file(
    lake, tmp_path, harm, message
):
    broken = shutil.copytree(lake, tmp_path / "broken")
    file = min((broken / "signals").rglob("*.parquet"))
    harm(file)
    catalog = Catalog(tmp_path / "catalog.duckdb")

    with pytest.raises(LakeError, match=message) as caught:
        catalog.open(broken)

    assert file.name in str(caught.value)
    assert not catalog.path.exists() or rows(catalog, "select count(*) from trace_files") == [(0,)]


def test_the_command_says_what_came(lake, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "catalog", "open", str(lake), "--catalog", "c.duckdb"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == ""
    assert "opened" in done.stderr
    assert "1 writer" in done.stderr


@pytest.mark.soak
def test_real_traces_are_said_alike_and_analysed_alike(shared, tmp_path):
    origin, opened = Catalog(tmp_path / "a.duckdb"), Catalog(tmp_path / "b.duckdb")
    sweeps = sorted((shared / "sweeps").glob("*.yaml"))
    origin.register(shared / "old_traces", sweeps=sweeps)
    origin.add_prices(
        shared / "prices/SPY_1m.parquet", symbol="SPY", timeframe="1m", tz="America/New_York"
    )
    origin.metrics()
    origin.publish(tmp_path / "lake")

    opened.open(tmp_path / "lake")

    assert differing(origin, opened, without=NOT_PUBLISHED) == {}
    own = {"strategy_type": "simple_momentum"}
    for name in ("trades", "pairwise_agreement"):
        assert analysis(opened, name, **own) == analysis(origin, name, **own) != []


def test_a_lake_that_was_moved_is_read_from_where_it_is_opened_again(origin, lake, tmp_path):
    there = Path(shutil.copytree(lake, tmp_path / "there"))
    moved = Catalog(tmp_path / "moved.duckdb")
    moved.open(there)
    before = rows(moved, "from signals order by all")
    there.rename(tmp_path / "elsewhere")

    report = moved.open(tmp_path / "elsewhere")

    assert report.traces == 0
    assert rows(moved, "from signals order by all") == before
    assert rows(moved, "select count(*) from trace_files") == rows(
        origin, "select count(*) from trace_files"
    )
