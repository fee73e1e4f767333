"""A lake holds what the catalog holds, and only what is new or changed is written."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from catalog import Catalog, filesystems, write_signals
from catalog.cli.main import main
from catalog.errors import LakeError, QueryError, UsageError
from catalog.lake import plan
from catalog.lake.lake import read_lake
from catalog.lake.layout import TABLES, folder_name
from catalog.lake.own_writer import own_writer
from catalog.lake.publish import Published
from conftest import old_trace, rows
from published import ADDED, contents, files_of, lake_rows, make_catalog, view_rows


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def published_once(made, tmp_path_factory) -> Path:
    """A folder of a catalog and the lake that it was published to, as it lies beside its copy."""
    folder = tmp_path_factory.mktemp("once") / "folder"
    shutil.copytree(made.path.parent, folder / "home")
    Catalog(folder / "home" / "catalog.duckdb").publish(folder / "lake")
    shutil.copytree(folder, folder.with_name("copy"))
    return folder


@pytest.fixture
def tmp_path(request, tmp_path) -> Path:
    """The folder of a test: at one and the same path where the catalog is to know its lake."""
    if "lake" not in request.fixturenames:
        return tmp_path
    folder = request.getfixturevalue("published_once")
    shutil.rmtree(folder)
    return shutil.copytree(folder.with_name("copy"), folder)


@pytest.fixture
def one(made, tmp_path) -> Catalog:
    """A catalog of one's own, with its traces, at the same path below another folder."""
    if not (tmp_path / "home").exists():
        shutil.copytree(made.path.parent, tmp_path / "home")
    return Catalog(tmp_path / "home" / "catalog.duckdb")


@pytest.fixture
def lake(one, tmp_path) -> Path:
    """What that catalog was published to before the test."""
    return tmp_path / "lake"


@pytest.fixture(scope="module")
def published(made, tmp_path_factory) -> tuple[Path, Published]:
    lake = tmp_path_factory.mktemp("lake")
    return lake, made.publish(lake)


def write_more(catalog: Catalog, folder: Path, number: int, count: int = 1) -> None:
    values = np.array([[1.0] * count, [number / 100] * count])
    configs = {f"more_{n}": {"type": "more", "parameters": {"n": n}} for n in range(count)}
    write_signals(
        folder, values, configs=configs, symbol="SPY", timeframe="1m", catalog=catalog.path
    )


def written(report: Published) -> dict[str, int]:
    return {one.name: one.entries for one in report.tables if one.entries}


@pytest.mark.parametrize("table", TABLES)
def test_a_lake_has_the_rows_of_the_view_of_each_table(made, published, table):
    lake, report = published
    added = "".join(f", {name}" for name in ADDED.get(table, ()))

    found = lake_rows(lake, table, f"* exclude (writer{added})")

    assert found == view_rows(made, table)
    assert found or table == "daily_returns_next_open"
    assert report.table(table).rows == len(found)
    assert not report.left


def test_files_carry_their_keys_sorted_with_checksums_and_plain_types(published):
    lake, report = published
    (file,) = [one for one in read_lake(lake).files("signals") if "/SPY/1m/" in one.place]

    read = pq.ParquetFile(file.place)
    table = pq.read_table(file.place)

    keys = [
        (row["strategy_hash"], row["trace_id"], row["bar_index"])
        for row in table.select(["strategy_hash", "trace_id", "bar_index"]).to_pylist()
    ]
    known = [key for key in keys if key[0] is not None]
    assert known == sorted(known) and keys[: len(known)] == known
    assert set(table["writer"].to_pylist()) == {report.writer}
    assert (table.schema, table.num_rows) == (file.schema, file.rows)
    assert read.metadata.row_group(0).column(0).compression == "ZSTD"
    assert os.path.getsize(file.place) == file.size
    damaged = bytearray(Path(file.place).read_bytes())
    damaged[200] ^= 255
    copy = lake.parent / "damaged.parquet"
    copy.write_bytes(damaged)
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        pq.ParquetFile(copy, page_checksum_verification=True).read()


def test_folders_say_symbol_and_timeframe_and_never_a_key(published):
    lake, _ = published

    folders = {os.path.dirname(path).removeprefix(f"{lake}/") for path in files_of(lake)}

    assert {"signals/SPY/1m", "signals/QQQ/5m", "signals/BRK.B/1m", "bars/SPY/1d"} <= folders
    assert not [folder for folder in folders if "=" in folder]


def test_no_symbol_makes_a_hidden_folder_or_leaves_the_lake():
    names = [folder_name(text) for text in (None, "", ".", "..", "_x", ".x", "a/b", "ES=F", "é")]

    assert names == ["unknown", "%", "%2E", "%2E.", "%5Fx", "%2Ex", "a%2Fb", "ES%3DF", "%C3%A9"]


def test_publishing_again_writes_nothing_at_all(one, lake, tmp_path):
    before = {path: path.stat() for path in (tmp_path / "lake").rglob("*")}

    report = one.publish(tmp_path / "lake")

    assert written(report) == {} and not report.is_changed and report.sequence == 1
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: status.st_mtime_ns for path, status in before.items()
    }
    assert set((tmp_path / "lake").rglob("*")) == set(before)


def test_what_the_lake_has_lost_is_written_once_more(one, lake, tmp_path):
    before = {table: lake_rows(lake, table) for table in ("signals", "strategies", "trace_files")}
    files = read_lake(lake)
    os.unlink(files.files("signals")[0].place)
    os.truncate(files.files("strategies")[0].place, 100)
    traces = files.files("trace_files")[0].place
    next((lake / "_contents/trace_files").glob(Path(traces).name)).unlink()

    report = one.publish(lake)

    assert set(written(report)) == {"signals", "strategies", "trace_files"}
    assert {table: lake_rows(lake, table) for table in before} == before
    assert not one.publish(lake).is_changed


def test_only_what_is_new_is_written(one, lake, tmp_path):
    before = files_of(lake)
    write_more(one, tmp_path / "home/runs/more", 7, count=3)

    report = one.publish(lake)

    assert written(report) == {"strategies": 3, "runs": 1, "trace_files": 3, "signals": 3}
    assert not any(one.replaced for one in report.tables)
    assert before.items() <= files_of(lake).items()
    assert report.sequence == 2
    assert lake_rows(lake, "signals") == view_rows(one, "signals")
    assert lake_rows(lake, "runs") == view_rows(one, "runs")


def test_what_was_forgotten_leaves_the_lake_and_the_file_stays_until_it_is_collected(
    one, lake, tmp_path
):
    before = files_of(lake)
    ((trace_id,),) = rows(one, "select min(trace_id) from signals where symbol = 'SPY'")
    one.forget(trace_id)

    report = one.publish(lake)

    assert report.table("signals").replaced == 1
    for table in ("signals", "trace_files", "metrics", "strategies", "runs"):
        found = lake_rows(lake, table, "* exclude (writer)")
        assert len(found) == len(view_rows(one, table)) and trace_id not in str(found)
    assert before.items() <= files_of(lake).items()
    kept = one.publish(lake, collect_garbage=True)
    assert (kept.garbage.removed, kept.garbage.younger > 0) == ([], True)
    gone = one.publish(lake, collect_garbage=True, garbage_age=timedelta(0))
    named = {file.place for table in TABLES for file in read_lake(lake).files(table)}
    assert {path for path in files_of(lake) if "/_contents/" not in path} == named
    assert len(gone.garbage.removed) == kept.garbage.younger
    assert lake_rows(lake, "signals") == view_rows(one, "signals")


def test_a_strategy_that_becomes_known_changes_the_rows_of_its_traces(tmp_path, write_run):
    catalog = Catalog(tmp_path / "home" / "catalog.duckdb")
    catalog.path.parent.mkdir()
    run = write_run(traces={"SPY_sma_1": [1, 0], "SPY_sma_2": [0, 1]})
    catalog.register(run)
    catalog.publish(tmp_path / "lake")
    config = {"type": "sma", "parameters": {"n": 1}}
    about = {"components": {"SPY_sma_1": {"full_config": config}}}
    (run / "metadata.json").write_text(json.dumps(about))
    catalog.register(run)

    report = catalog.publish(tmp_path / "lake")

    assert report.table("signals").entries == 2  # The other one was in the same file.
    found = lake_rows(tmp_path / "lake", "signals")
    assert found == view_rows(catalog, "signals")
    assert {row[10] for row in found} != {None}


def test_a_condition_adds_to_what_was_published_before(one, tmp_path):
    lake = tmp_path / "lake"
    one.publish(lake, where="strategy_type = 'walk'")
    first = contents(lake)

    report = one.publish(lake, where="strategy_type = 'sma' and param_n > 1")

    found = lake_rows(lake, "strategies", "distinct strategy_type")
    assert found == [("sma",), ("walk",)]
    assert set(first["signals"]) < set(lake_rows(lake, "signals"))
    assert lake_rows(lake, "daily_returns") == first["daily_returns"]
    assert lake_rows(lake, "runs", "run_id") == [("daily_1",), ("old_1",)]
    assert written(report)["signals"] == 3
    whole = one.publish(lake)
    assert whole.table("signals").replaced == 0
    assert lake_rows(lake, "signals") == view_rows(one, "signals")


def test_a_condition_that_is_none_or_meets_nothing_is_refused(one, tmp_path):
    with pytest.raises(QueryError, match="No signal trace is meant"):
        one.publish(tmp_path / "lake", where="strategy_type = 'nothing'")
    with pytest.raises(QueryError):
        one.publish(tmp_path / "lake", where="nonsense >")

    assert not (tmp_path / "lake").exists()


def test_a_file_where_the_lake_is_to_be_is_said_and_left_alone(one, tmp_path):
    (tmp_path / "file").write_text("kept")

    for place in (tmp_path / "file", tmp_path / "file" / "lake"):
        with pytest.raises(LakeError, match="is no folder, or lies below a file"):
            one.publish(place)

    assert (tmp_path / "file").read_text() == "kept"


def test_no_name_is_not_the_folder_one_is_in(one, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    with pytest.raises(UsageError, match="No lake is named"):
        one.publish("")
    with pytest.raises(UsageError, match="No lake is named"):
        one.open("")

    assert list(Path.cwd().iterdir()) == []


def test_a_store_that_wants_to_be_told_more_is_a_clear_error(one, monkeypatch):
    def wants_a_host(scheme):
        raise TypeError("missing 1 required positional argument: 'host'")

    monkeypatch.setattr(filesystems, "_make", wants_a_host)

    with pytest.raises(UsageError, match="cannot be read: missing 1 required"):
        one.publish("wantsahost://place/lake")


def test_a_query_over_a_lake_that_lost_a_file_says_how_to_go_on(one, lake, tmp_path):
    other = Catalog(tmp_path / "other.duckdb")
    other.open(tmp_path / "lake")
    for file in (tmp_path / "lake" / "signals").rglob("*.parquet"):
        file.unlink()

    with pytest.raises(QueryError) as caught:
        rows(other, "from signals")

    assert caught.value.hint is not None
    assert "catalog open LAKE" in caught.value.hint


def test_no_file_of_a_lake_below_a_registered_folder_is_taken_for_a_trace(one, tmp_path):
    first = "trace_path = (select min(trace_path) from strategy_index)"
    one.publish(tmp_path / "lake", where=first)
    other = Catalog(tmp_path / "other.duckdb")

    report = other.register(tmp_path / "lake")

    assert report.ignored["a file of a lake"] >= 2
    assert (sum(report.kinds.values()), report.quarantined) == (0, [])
    assert rows(other, "select count(*) from signals") == [(0,)]


def test_a_composite_comes_with_what_it_is_made_of(one, tmp_path):
    one.publish(tmp_path / "lake", where="strategy_type = 'ensemble'")

    assert lake_rows(tmp_path / "lake", "strategies", "strategy_type") == [("ensemble",), ("rsi",)]
    assert len(lake_rows(tmp_path / "lake", "components")) == 1


def test_packed_traces_are_published_as_loose_ones_are(one, lake, tmp_path):
    one.compact(delete_originals=True)

    report = one.publish(tmp_path / "packed")
    again = one.publish(lake)

    assert not report.left
    assert lake_rows(tmp_path / "packed", "signals") == lake_rows(lake, "signals")
    assert again.table("signals").files == 0


def test_many_small_files_are_written_into_one(one, lake, tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "MANY_SMALL", 2)
    counts = []

    for number in range(4):
        write_more(one, tmp_path / f"home/runs/more_{number}", number)
        one.publish(lake)
        counts.append(len([f for f in read_lake(lake).files("signals") if "/SPY/1m/" in f.place]))

    assert max(counts) <= 3 and counts[-1] < 4
    assert lake_rows(lake, "signals") == view_rows(one, "signals")
    assert len(lake_rows(lake, "trace_files")) == len(view_rows(one, "trace_files"))


def test_large_tables_are_cut_into_files_of_whole_traces(one, tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "MOST_ROWS", 40)
    lake = tmp_path / "lake"

    report = one.publish(lake)

    files = read_lake(lake).files("signals")
    traces = [set(pq.read_table(file.place)["trace_id"].to_pylist()) for file in files]
    assert report.table("signals").files == len(files) > 3
    assert sum(map(len, traces)) == len(set().union(*traces))
    assert lake_rows(lake, "signals") == view_rows(one, "signals")
    assert lake_rows(lake, "daily_returns", "* exclude (writer, strategy_hash)") == view_rows(
        one, "daily_returns"
    )


def test_a_trace_whose_file_is_gone_or_changed_is_said_and_the_rest_published(one, tmp_path):
    query = "from trace_files where strategy_type = 'sma' and kind = 'signal'"
    paths = [path for (path,) in rows(one, f"select path {query} order by path")]
    os.unlink(paths[0])
    Path(paths[1]).write_bytes(b"PAR1 nothing of it PAR1")
    lake = tmp_path / "lake"

    done = CliRunner().invoke(main, ["publish", str(lake), "--catalog", str(one.path)])

    assert done.exit_code == 3, done.output
    assert paths[0] in done.output and paths[1] in done.output
    assert "its file is gone" in done.output and "changed since it was registered" in done.output
    lost = "path in ({}, {})".format(*(f"'{path}'" for path in paths[:2]))
    ids = {trace_id for (trace_id,) in rows(one, f"select trace_id from trace_files where {lost}")}
    for table in ("signals", "trace_files", "metrics"):
        assert not ids & {row[0] for row in lake_rows(lake, table, "trace_id")}
    assert len(lake_rows(lake, "trace_files")) == len(view_rows(one, "trace_files")) - 2


def test_what_the_lake_has_of_a_trace_stays_when_its_file_is_gone(one, lake, tmp_path):
    before = lake_rows(lake, "signals")
    for path in (tmp_path / "home/runs/old_1/traces/SPY_1m/signals").rglob("*.parquet"):
        path.unlink()

    unnoticed = one.publish(lake)
    one.register(tmp_path / "home/runs")
    noticed = one.publish(lake)

    assert rows(one, "select count(*) from missing_files") == [(6,)]
    assert not unnoticed.left and not noticed.left
    assert lake_rows(lake, "signals") == before


def test_each_catalog_is_a_writer_of_its_own_and_stays_it(one, tmp_path):
    writer = own_writer(one.path)
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    copied = own_writer(tmp_path / "copy" / "catalog.duckdb")
    (tmp_path / "home").rename(tmp_path / "moved")
    moved = own_writer(tmp_path / "moved" / "catalog.duckdb")

    assert copied != writer == moved
    assert own_writer(tmp_path / "copy" / "catalog.duckdb") == copied


def test_a_copy_on_another_machine_is_another_writer(one, monkeypatch):
    writer = own_writer(one.path)
    monkeypatch.setattr("platform.node", lambda: "elsewhere")

    assert own_writer(one.path) != writer
    monkeypatch.undo()
    assert own_writer(one.path) == writer


def test_a_writer_can_be_named(one, tmp_path):
    one.publish(tmp_path / "lake", writer="0123456789ab")

    assert read_lake(tmp_path / "lake").writers == ("0123456789ab",)
    with pytest.raises(UsageError, match="no id of a writer"):
        one.publish(tmp_path / "lake", writer="mine")


def test_a_dry_run_writes_nothing(one, tmp_path):
    words = ["publish", str(tmp_path / "lake"), "--catalog", str(one.path)]
    before = sorted(one.path.parent.rglob("*"))

    dry = CliRunner().invoke(main, [*words, "--dry-run"])

    assert dry.exit_code == 0
    assert f"to write   trace_files: {len(view_rows(one, 'trace_files'))} traces" in dry.output
    assert not (tmp_path / "lake").exists() and sorted(one.path.parent.rglob("*")) == before
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0 and f"catalog open {tmp_path / 'lake'}" in done.output
    again = CliRunner().invoke(main, words)
    assert "nothing: the lake has it all" in again.output


def test_the_real_traces_are_published_as_the_views_show_them(catalog, shared, tmp_path):
    runs = [
        shared / "tracer_output/run_b",
        shared / "old_traces/complete_strategy_grid_v1_2cc18fbb",
    ]
    catalog.register(*runs)

    report = catalog.publish(tmp_path / "lake")

    assert not report.left
    for table in ("signals", "classifications", "orders", "fills", "positions", "strategies"):
        assert lake_rows(tmp_path / "lake", table) == view_rows(catalog, table), table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:40], "is damaged"),
        (lambda text: text.replace('"format":1', '"format":2'), "is of format 2"),
        (lambda text: text.replace('"signals/', '"../'), "is damaged"),
        (lambda text: text.replace('"rows"', '"raws"'), "is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(published, tmp_path, change, message):
    lake = tmp_path / "lake"
    shutil.copytree(published[0], lake)
    (path,) = (lake / "_manifests").iterdir()
    path.write_text(change(path.read_text()))

    with pytest.raises(LakeError, match=message):
        read_lake(lake)


def test_there_is_no_lake_in_a_folder_of_other_things(tmp_path):
    with pytest.raises(LakeError, match="There is no lake"):
        read_lake(tmp_path)


def test_types_that_widened_are_read_as_the_wider_ones(one, lake, tmp_path):
    old_trace(tmp_path / "home/runs/half/traces/SPY_1m/signals/sma/SPY_half.parquet", [1, 0])
    about = {"components": {"SPY_half": {"full_config": {"type": "sma", "parameters": {"n": 0.5}}}}}
    (tmp_path / "home/runs/half/metadata.json").write_text(json.dumps(about))
    one.register(tmp_path / "home/runs/half")

    one.publish(lake, where="run_id = 'half'")

    assert str(read_lake(lake).schema("strategies").field("param_n").type) == "double"
    found = lake_rows(lake, "strategies", "param_n")
    assert found == rows(one, "select param_n from strategies order by all")
