"""Registering what lies in object storage: as a folder is, asked little of, and hard to disturb."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

import catalog as package
from bad_files import write_ours
from catalog import Catalog
from catalog.errors import ObjectStoreError, UsageError
from catalog.objects import PIECE, StoredObject, list_below, look_at, remove, write, write_file
from catalog.register import reading
from catalog.traces.read import read_trace_file
from catalog.traces.tail import TAIL, read_stated, read_table_footer
from catalog.traces.write import write_trace
from conftest import old_trace, rows
from s3 import Fault, Request, forget_connections, send

SAME = """
    select trace_id, kind, run_id, strategy_id, strategy_hash, strategy_type, config_source, symbol,
        timeframe, generation, row_count, first_bar, last_bar, first_ts, last_ts, knows_bar_times,
        content_digest, file_digest, file_size_bytes, created_at, is_latest
    from trace_files
    order by trace_id
"""
OTHERS = "select parse_filename(path), status, reason from other_files order by all"


@pytest.fixture
def patient(monkeypatch):
    """Let nothing be waited for between one try and the next."""
    monkeypatch.setattr("catalog.tries.PAUSE", 0.001)


@pytest.fixture
def memory():
    """The URL of an empty place in memory."""
    fs = fsspec.filesystem("memory")
    yield "memory://store"
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    forget_connections()


@pytest.fixture
def tree(tmp_path, write_run):
    """A folder of runs: signals and classifiers, records of both kinds, ours, odd and bad files."""
    root = tmp_path / "runs"
    ids = [f"SPY_sma_grid_{fast}_20" for fast in range(5, 11)]
    config = {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}}
    run = write_run(
        "run_a",
        {name: [1, 0, -1, number % 2] for number, name in enumerate(ids)},
        metadata={"run_id": "first", "total_bars": 50, "components": {ids[0]: {
            "full_config": config, "strategy_type": "sma_crossover"}}},
    )  # fmt: skip
    with duckdb.connect(str(run / "analytics.duckdb")) as con:
        con.execute(
            "create table strategies (strategy_name text, strategy_type text, parameters json)"
        )
        con.execute(
            "insert into strategies values ('sma_grid_6_20', 'sma_crossover', "
            """'{"fast": 6, "slow": 20}')"""
        )
    write_run("run_b", {"trend": ["up", "down"]}, kind="classifiers", metadata={"total_bars": 9})
    write_ours(root / "run_c")
    (root / "run_c" / "notes.txt").write_text("notes")
    broken = root / "run_d" / "traces" / "SPY_1m" / "signals" / "sma_grid" / "broken.parquet"
    old_trace(broken, [1, 0])
    broken.write_bytes(broken.read_bytes()[:-20])
    broken.with_name("empty.parquet").write_bytes(b"")
    old_trace(broken.with_name("good.parquet"), [0, 1])
    old_trace(broken.with_name(".hidden.parquet"), [0, 1])
    old_trace(broken.parent / ".aside" / "other.parquet", [0, 1])
    pq.write_table(pa.table({"x": [1]}), broken.with_name("table.parquet"))
    return root


def test_a_bucket_is_registered_as_a_folder_is(tmp_path, tree, bucket):
    here, there = Catalog(tmp_path / "here.duckdb"), Catalog(tmp_path / "there.duckdb")
    send(tree, f"{bucket}/runs")

    wanted = here.register(tree)
    report = there.register(f"{bucket}/runs/")

    assert rows(there, SAME) == rows(here, SAME)
    assert rows(there, OTHERS) == rows(here, OTHERS)
    assert report.kinds == wanted.kinds and report.sources == wanted.sources
    assert report.ignored == wanted.ignored and report.contents == wanted.contents
    found = [(one.path.rpartition("/")[2], one.reason) for one in report.quarantined]
    assert found == [(one.path.rpartition("/")[2], one.reason) for one in wanted.quarantined]
    assert {source for source, number in report.sources.items() if number} == {
        *("footer", "metadata", "analytics", "unknown")
    }
    paths = [path for (path,) in rows(there, "select path from trace_files")]
    assert all(path.startswith(f"{bucket}/runs/run_") for path in paths)


@pytest.fixture
def processes(monkeypatch):
    """Let two processes read objects, however few there are. Returns those that were started."""
    monkeypatch.setattr(reading, "OBJECTS_WORTHWHILE", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    started, start = [], reading._start
    monkeypatch.setattr(reading, "_start", lambda: started.append(start()) or started[-1])
    return started


def test_processes_read_a_bucket_as_this_one_does(tmp_path, tree, bucket, processes, monkeypatch):
    monkeypatch.setattr(reading, "_OBJECTS_PIECE", 3)
    here, there = Catalog(tmp_path / "here.duckdb"), Catalog(tmp_path / "there.duckdb")
    send(tree, f"{bucket}/runs")

    here.register(tree)
    there.register(f"{bucket}/runs")

    assert rows(there, SAME) == rows(here, SAME)
    assert rows(there, OTHERS) == rows(here, OTHERS)
    assert [process.returncode for process in processes] == [0, 0]


def test_what_a_process_is_refused_fails_the_command(catalog, write_run, store, processes):
    send(write_run(traces={f"t{n}": [1, 0, n] for n in range(10)}), f"{store.url}/run")
    store.spoil = lambda request, before: (
        Fault(400, "ExpiredToken") if request.path.endswith(".parquet") else None
    )

    with pytest.raises(ObjectStoreError, match="credentials") as caught:
        catalog.register(f"{store.url}/run")

    assert "goes on where it stopped" in caught.value.hint
    assert [process.returncode for process in processes] == [0, 0]
    store.spoil = lambda request, before: None
    assert catalog.register(f"{store.url}/run").registered == 10


def test_real_runs_of_all_generations_are_registered_as_in_their_folder(tmp_path, shared, memory):
    here, there = Catalog(tmp_path / "here.duckdb"), Catalog(tmp_path / "there.duckdb")
    folders = [shared / "tracer_output", *sorted((shared / "old_traces").glob("two_layer*"))]
    sweeps = sorted((shared / "sweeps").glob("*.yaml"))
    for folder in folders:
        send(folder, f"{memory}/{folder.name}")

    wanted = here.register(*folders, sweeps=sweeps)
    report = there.register(memory, sweeps=sweeps)

    assert wanted.registered > 50
    assert rows(there, SAME) == rows(here, SAME)
    assert report.sources == wanted.sources and report.ignored == wanted.ignored


def test_a_second_pass_asks_for_one_listing_and_nothing_else(catalog, tree, store):
    send(tree, f"{store.url}/runs")
    first = catalog.register(f"{store.url}/runs")
    store.requests.clear()

    report = catalog.register(f"{store.url}/runs")

    assert (report.unchanged, report.registered) == (first.registered, 0)
    assert [one.is_listing for one in store.requests] == [True]


def test_an_object_is_fetched_in_one_request_and_listed_in_one(catalog, write_run, store):
    send(write_run(traces={f"t{n}": [1, 0, n % 2] for n in range(40)}), f"{store.url}/a/run")
    store.requests.clear()

    catalog.register(f"{store.url}/a/run")

    listings = [one for one in store.requests if one.is_listing]
    fetched = [one for one in store.requests if one.path.endswith(".parquet")]
    assert len(listings) == 1 and len(fetched) == 40
    assert len({one.path for one in fetched}) == 40
    # A bundle might lie above: asked once for all.
    others = [one for one in store.requests if one not in listings + fetched]
    assert [one.path.rpartition("/")[2] for one in others] == ["bundle.json"] * len(others)
    assert len(others) <= 2


def test_a_listing_of_many_pages_is_whole(store):
    urls = [f"{store.url}/p/{number:02}/x.bin" for number in range(10)]
    for url in [*urls, f"{store.url}/pq/other.bin"]:
        write(url, b"x")
    store.requests.clear()
    store.page = 4

    listed = list_below(f"{store.url}/p")

    assert [one.url for one in listed] == urls
    assert [one.is_listing for one in store.requests] == [True] * 3


def test_what_is_written_anew_is_read_anew_and_what_is_gone_is_missing(catalog, write_run, bucket):
    run = write_run(traces={"a": [1, 0], "b": [0, 1], "c": [1, 1]})
    send(run, f"{bucket}/run")
    catalog.register(f"{bucket}/run")
    folder = f"{bucket}/run/traces/SPY_1m/signals/sma_grid"
    # As long as before, and within the same second: its ETag differs.
    old = look_at(f"{folder}/a.parquet")
    write_file(f"{folder}/a.parquet", old_trace(run / "a.parquet", [0, 1]))
    assert look_at(f"{folder}/a.parquet") != old
    remove(f"{folder}/b.parquet")

    report = catalog.register(f"{bucket}/run")

    assert (report.registered, report.unchanged, report.missing) == (1, 1, 1)
    assert rows(catalog, "select path from missing_files") == [(f"{folder}/b.parquet",)]
    assert rows(catalog, "select count(*) from signals where strategy_id = 'b'") == [(0,)]


def test_a_place_of_which_nothing_is_left_has_only_missing_files(catalog, write_run, memory):
    send(write_run(), f"{memory}/run")
    catalog.register(memory)
    for stored in list_below(memory):
        remove(stored.url)

    report = catalog.register(memory)

    assert report.missing == 1


def test_a_folder_and_urls_are_registered_together_and_a_copy_counts_once(
    catalog, write_run, bucket, memory
):
    run = write_run("run_a", {"a": [1, 0]}, metadata={"run_id": "r"})
    send(run, f"{bucket}/run_a")
    send(write_run("run_b", {"b": [1, 0, 1]}), f"{memory}/run_b")

    report = catalog.register(run, bucket, f"{bucket}/run_a", memory)

    assert (report.registered, len(report.copies)) == (2, 1)
    assert rows(catalog, "select count(*) from trace_files") == [(2,)]
    with duckdb.connect(str(catalog.path), read_only=True) as con:
        stored = con.execute("select prefix, is_relative from internal.root").fetchall()
    assert (f"{bucket}/", False) in stored and (f"{memory}/", False) in stored


def test_a_copy_takes_over_when_the_object_that_was_registered_is_gone(catalog, write_run, bucket):
    send(write_run("run_a", {"a": [1, 0]}), f"{bucket}/old/run_a")
    send(write_run("run_a", {"a": [1, 0]}), f"{bucket}/new/run_a")
    catalog.register(f"{bucket}/old")
    for stored in list_below(f"{bucket}/old"):
        remove(stored.url)

    report = catalog.register(f"{bucket}/new")

    assert report.copies == []
    ((path,),) = rows(catalog, "select path from trace_files where status = 'registered'")
    assert path.startswith(f"{bucket}/new/")


def test_a_bucket_that_is_called_as_a_kind_is_no_part_of_a_run(catalog, write_run, memory):
    send(write_run("run_a") / "traces" / "SPY_1m" / "signals", "memory://signals/run_a/signals")

    catalog.register("memory://signals")

    assert rows(catalog, "select run_id from runs") == [("run_a",)]


def test_what_would_be_registered_is_said_and_nothing_is_written(catalog, tree, memory):
    send(tree, memory)

    report = catalog.register(memory, dry_run=True)

    assert not catalog.path.exists()
    done = catalog.register(memory)
    assert (report.kinds, report.sources, report.contents) == (
        done.kinds,
        done.sources,
        done.contents,
    )


def test_progress_is_told(catalog, write_run, memory):
    send(write_run(traces={f"t{n}": [1, n % 2] for n in range(70)}), memory)
    told = []

    catalog.register(memory, progress=lambda done, total: told.append((done, total)))

    assert told == [(0, 70), (64, 70), (70, 70)]


def test_a_file_system_of_pyarrow_reads_a_scheme(catalog, write_run, tmp_path):
    run = write_run("run_a", metadata={"run_id": "r"})
    base = pyarrow.fs.SubTreeFileSystem(str(run.parent), pyarrow.fs.LocalFileSystem())
    package.use_filesystem("lab", base)
    try:
        report = catalog.register("lab://run_a")
        again = catalog.register("lab://run_a")
    finally:
        forget_connections()

    assert (report.registered, again.unchanged) == (1, 1)
    ((path,),) = rows(catalog, "select path from trace_files")
    assert path == "lab://run_a/traces/SPY_1m/signals/sma_grid/SPY_sma_grid_5_20.parquet"


def test_the_url_of_a_folder_of_this_machine_is_that_folder(catalog, write_run):
    run = write_run()

    catalog.register(f"file://{run}")

    ((path,),) = rows(catalog, "select path from trace_files")
    assert path.startswith(str(run))


def test_a_store_that_nobody_knows_is_refused(catalog):
    with pytest.raises(UsageError, match="nowhere://x cannot be read") as caught:
        catalog.register("nowhere://x")
    assert "strategy-trace-catalog[s3]" in caught.value.hint


def test_a_url_with_nothing_below_it_is_refused(catalog, bucket, write_run):
    send(write_run(), f"{bucket}/runs")

    with pytest.raises(UsageError, match="There is nothing below"):
        catalog.register(f"{bucket}/run")
    stored = list_below(bucket)[0]
    with pytest.raises(UsageError, match="is an object") as caught:
        catalog.register(stored.url)
    assert caught.value.hint == f"Register its folder: {stored.url.rpartition('/')[0]}"
    assert not catalog.path.exists()


def test_a_bucket_that_is_not_there_fails_the_command(catalog, bucket):
    with pytest.raises(ObjectStoreError, match=f"There is no bucket {bucket}-not-there"):
        catalog.register(f"{bucket}-not-there/runs")
    assert not catalog.path.exists()


def test_an_expired_credential_fails_the_command_which_then_goes_on(
    catalog, write_run, store, patient, monkeypatch
):
    monkeypatch.setattr("catalog.register.register.BATCH_SIZE", 15)
    monkeypatch.setattr("catalog.objects.AT_ONCE", 4)
    send(write_run(traces={f"t{n:02}": [1, n % 2] for n in range(40)}), f"{store.url}/run")
    served = []

    def spoil(request: Request, before: int) -> Fault | None:
        if request.path.endswith(".parquet"):
            served.append(request)
        return Fault(400, "ExpiredToken") if len(served) > 20 else None

    store.spoil = spoil
    with pytest.raises(ObjectStoreError, match="credentials") as caught:
        catalog.register(f"{store.url}/run")

    assert "goes on where it stopped" in caught.value.hint
    ((kept,),) = rows(catalog, "select count(*) from trace_files")
    assert 15 <= kept <= 20
    assert rows(catalog, "select count(*) from quarantine") == [(0,)]
    store.spoil = lambda request, before: None
    report = catalog.register(f"{store.url}/run")
    assert (report.unchanged, report.registered) == (kept, 40 - kept)


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "InvalidAccessKeyId"), (403, "SignatureDoesNotMatch"), (400, "TokenRefreshRequired")],
)
def test_a_credential_that_is_not_accepted_is_said_to_be_so_at_once(store, status, code):
    store.spoil = lambda request, before: Fault(status, code)

    with pytest.raises(ObjectStoreError, match="are not accepted"):
        list_below(store.url)
    assert len(store.requests) == 1


def test_credentials_that_are_not_there_fail_the_command(catalog, bucket, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    forget_connections()

    with pytest.raises(ObjectStoreError, match="credentials"):
        catalog.register(bucket)


def test_an_object_that_is_deleted_after_it_was_listed_is_passed_over(catalog, write_run, store):
    send(write_run(traces={"a": [1, 0], "b": [0, 1]}), f"{store.url}/run")

    def spoil(request: Request, before: int) -> Fault | None:
        return Fault(404, "NoSuchKey") if request.path.endswith("/a.parquet") else None

    store.spoil = spoil
    report = catalog.register(f"{store.url}/run")

    assert (report.registered, report.quarantined) == (1, [])


def test_an_object_that_may_not_be_read_is_quarantined_until_it_may(catalog, write_run, store):
    send(write_run(traces={"a": [1, 0], "b": [0, 1]}), f"{store.url}/run")

    def spoil(request: Request, before: int) -> Fault | None:
        return Fault(403, "AccessDenied") if request.path.endswith("/a.parquet") else None

    store.spoil = spoil
    report = catalog.register(f"{store.url}/run")
    assert [one.reason for one in report.quarantined] == ["no permission"]
    assert report.registered == 1

    store.spoil = lambda request, before: None
    report = catalog.register(f"{store.url}/run")
    assert (report.registered, report.needs_attention) == (1, False)


def test_a_store_that_lets_no_object_be_read_stops_it_and_nothing_is_recorded(
    catalog, write_run, store, monkeypatch
):
    monkeypatch.setattr("catalog.objects.AT_ONCE", 2)
    metadata = {"run_id": "first"}
    send(write_run(traces={f"t{n:02}": [1, n % 2] for n in range(40)}, metadata=metadata),
         f"{store.url}/run")  # fmt: skip
    store.requests.clear()
    store.spoil = lambda request, before: None if request.is_listing else Fault(403, "AccessDenied")

    with pytest.raises(ObjectStoreError, match=f"{store.url} refuses all 40 objects") as caught:
        catalog.register(store.url)
    assert "s3:GetObject" in caught.value.hint
    assert not catalog.path.exists()

    monkeypatch.setattr("catalog.register.refused.ENOUGH", 10)
    store.requests.clear()
    with pytest.raises(ObjectStoreError, match="refuses all 10 objects"):
        catalog.register(store.url)
    # Those that were under way by then, and no more.
    assert len({one.path for one in store.requests if one.path.endswith(".parquet")}) < 20

    store.spoil = lambda request, before: None
    assert catalog.register(store.url).registered == 40


def test_what_another_place_held_is_registered_where_a_store_lets_nothing_be_read(
    catalog, write_run, store, memory
):
    send(write_run("a", {"SPY_x_1": [1, 0]}), f"{memory}/a")
    send(write_run("b", {"SPY_x_2": [1, 0]}, metadata={"run_id": "b"}), f"{store.url}/b")
    store.spoil = lambda request, before: None if request.is_listing else Fault(403, "AccessDenied")

    with pytest.raises(ObjectStoreError, match=f"{store.url} refuses the only object"):
        catalog.register(memory, store.url)

    assert rows(catalog, "select strategy_id from trace_files") == [("SPY_x_1",)]
    assert rows(catalog, "select * from quarantine") == []
    assert rows(catalog, "select run_id from runs") == [("a",)]


def test_new_objects_that_may_not_be_read_beside_known_ones_are_quarantined(
    catalog, write_run, store
):
    send(write_run("a", {"x": [1, 0]}), f"{store.url}/a")
    catalog.register(store.url)
    send(write_run("b", {"y": [1, 0], "z": [0, 1]}), f"{store.url}/b")
    store.spoil = lambda request, before: (
        Fault(403, "AccessDenied") if request.path.endswith(".parquet") else None
    )

    for _ in range(2):
        report = catalog.register(store.url)
        assert [one.reason for one in report.quarantined] == ["no permission"] * 2

    # Where the known one was written anew, and is refused too, nothing of it can be read.
    store.spoil = lambda request, before: None
    write_file(f"{store.url}/a/traces/SPY_1m/signals/sma_grid/x.parquet",
               old_trace(Path(catalog.path).with_name("x.parquet"), [0, 1]))  # fmt: skip
    store.spoil = lambda request, before: (
        Fault(403, "AccessDenied") if request.path.endswith(".parquet") else None
    )
    with pytest.raises(ObjectStoreError, match="refuses all 3 objects"):
        catalog.register(store.url)
    assert rows(catalog, "select strategy_id from trace_files") == [("x",)]


def test_a_body_that_is_cut_short_is_fetched_again(catalog, write_run, store, patient):
    send(write_run(traces={"a": [1, 0], "b": [0, 1]}), f"{store.url}/run")

    def spoil(request: Request, before: int) -> Fault | None:
        is_spoilt = request.path.endswith("/a.parquet") and before < 2
        return Fault(keep=100) if is_spoilt else None

    store.spoil = spoil
    report = catalog.register(f"{store.url}/run")

    assert (report.registered, report.quarantined) == (2, [])


def test_an_object_that_never_comes_whole_is_quarantined(catalog, write_run, store, patient):
    send(write_run(traces={"a": [1, 0], "b": [0, 1]}), f"{store.url}/run")

    def spoil(request: Request, before: int) -> Fault | None:
        return Fault(keep=100) if request.path.endswith("/a.parquet") else None

    store.spoil = spoil
    report = catalog.register(f"{store.url}/run")

    assert [one.reason for one in report.quarantined] == ["truncated object"]
    assert "does not come whole" in report.quarantined[0].error
    assert report.registered == 1


def test_a_store_that_is_busy_for_a_moment_is_asked_again(catalog, write_run, store, patient):
    send(write_run(traces={f"t{n}": [1, n % 2] for n in range(10)}), f"{store.url}/run")

    def spoil(request: Request, before: int) -> Fault | None:
        return Fault(503, "SlowDown") if before < 2 else None

    store.spoil = spoil
    assert catalog.register(f"{store.url}/run").registered == 10


def test_a_store_that_stays_busy_is_asked_so_often_and_no_more(catalog, write_run, store, patient):
    send(write_run(), f"{store.url}/run")
    store.requests.clear()
    store.spoil = lambda request, before: Fault(503, "SlowDown")

    with pytest.raises(ObjectStoreError, match="cannot be reached") as caught:
        catalog.register(f"{store.url}/run")

    assert "tried 5 times" in caught.value.hint
    assert len(store.requests) == 5


def test_a_store_that_is_not_there_is_said_to_be_so(catalog, bucket, monkeypatch, patient):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_connections()

    with pytest.raises(ObjectStoreError, match="cannot be reached"):
        catalog.register(bucket)


def test_records_that_may_not_be_read_are_quarantined_and_the_traces_registered(
    catalog, write_run, store
):
    send(write_run(metadata={"total_bars": 5}), f"{store.url}/run")

    def spoil(request: Request, before: int) -> Fault | None:
        return Fault(403, "AccessDenied") if request.path.endswith("/metadata.json") else None

    store.spoil = spoil
    report = catalog.register(f"{store.url}/run")

    assert [one.reason for one in report.quarantined] == ["unreadable metadata.json"]
    assert report.registered == 1


@pytest.fixture
def large(tmp_path):
    """A trace of ours that is longer than a footer is looked for in, and than is held."""
    count = 100_000
    start, minute = np.datetime64("2024-03-26T13:30", "us"), np.timedelta64(60_000_000, "us")
    path = write_trace(
        tmp_path / "large",
        config={"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}},
        strategy_id="large",
        symbol="SPY",
        timeframe="1m",
        bar_index=np.arange(count),
        ts=start + minute * np.arange(count),
        values=np.arange(count) % 3 - 1 + np.arange(count) / 1e6,
        prices=None,
        first_bar=0,
        last_bar=count,
        first_ts=start,
        last_ts=start + minute * count,
    )
    assert path.stat().st_size > TAIL
    return path


def test_a_large_object_comes_in_pieces_and_is_the_same(large, store, monkeypatch):
    monkeypatch.setattr("catalog.traces.source.PIECE", 100_000)
    monkeypatch.setattr("catalog.objects.PIECE", 100_000)
    write_file(f"{store.url}/large.parquet", large)

    found = read_trace_file(f"{store.url}/large.parquet")

    assert PIECE > 100_000
    wanted = read_trace_file(str(large))
    assert found._replace(mtime_ns=0, strategy_id="") == wanted._replace(mtime_ns=0, strategy_id="")
    ranges = [one for one in store.of("/large.parquet") if one.method == "GET"]
    assert len(ranges) == -(-large.stat().st_size // 100_000)


def test_a_footer_takes_one_range_read_and_a_long_one_two(large, store, tmp_path):
    table = pq.read_table(large)
    keys = {**(table.schema.metadata or {}), b"note": b"x" * (2 * TAIL)}
    long = tmp_path / "long.parquet"
    pq.write_table(table.replace_schema_metadata(keys), long)
    for path, reads in ((large, 1), (long, 2)):
        url = f"{store.url}/{path.name}"
        write_file(url, path)
        listed = look_at(url)
        assert isinstance(listed, StoredObject)
        store.requests.clear()

        footer = read_table_footer(url, listed=listed)

        assert footer.row_count == 100_000 and footer.columns == tuple(table.column_names)
        asked = store.of(f"/{path.name}")
        assert [one.method for one in asked] == ["GET"] * reads
        assert all(one.range is not None for one in asked)
        here = read_table_footer(str(path))
        assert (here.footer, here.types) == (footer.footer, footer.types)


def test_what_a_footer_states_is_what_reading_all_finds(large, bucket):
    url = f"{bucket}/large.parquet"
    write_file(url, large)
    listed = look_at(url)
    assert listed is not None

    stated, read = read_stated(listed), read_trace_file(url)

    assert stated.content_digest is not None and stated.rows_digest == ""
    same = (
        "kind strategy_id claimed_hash footer_config row_count first_bar last_bar first_ts last_ts"
    )
    for name in f"{same} knows_bar_times size mtime_ns".split():
        assert getattr(stated, name) == getattr(read, name), name


def test_a_dry_run_leaves_the_rows_of_long_objects_where_they_are(catalog, large, store):
    send(large.parents[3], f"{store.url}/runs")
    store.requests.clear()

    report = catalog.register(f"{store.url}/runs", dry_run=True)

    assert report.registered == 1
    asked = store.of(".parquet")
    assert [one.range is not None for one in asked] == [True]
    assert report.contents == catalog.register(f"{store.url}/runs").contents


def test_the_command_takes_urls(bucket, write_run, tmp_path):
    from click.testing import CliRunner

    from catalog.cli import main

    send(write_run(), f"{bucket}/runs")

    done = CliRunner().invoke(
        main, ["register", f"{bucket}/runs", "--catalog", str(tmp_path / "c.duckdb")]
    )

    assert done.exit_code == 0, done.output
    assert "1 trace" in done.output


def test_a_bundle_in_a_store_says_what_its_runs_are(catalog, write_run, tmp_path, memory):
    run = write_run("run_a", {"SPY_sma_5": [1, 0]}, root=tmp_path / "bundle" / "runs")
    config = {"type": "sma", "parameters": {"period": 5}}
    trace = "traces/SPY_1m/signals/sma_grid/SPY_sma_5.parquet"
    (tmp_path / "bundle" / "bundle.json").write_text(
        json.dumps(
            {"bundle": 1, "runs": {"runs/run_a": {
                "run_id": "first", "configs": {trace: ["metadata", config]}}}}
        )
    )  # fmt: skip
    send(tmp_path / "bundle", f"{memory}/b")
    assert (Path(run) / trace).exists()

    catalog.register(f"{memory}/b/runs")

    query = "select run_id, strategy_type, config_source from trace_files"
    assert rows(catalog, query) == [("first", "sma", "metadata")]
