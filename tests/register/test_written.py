"""What is written registers itself: from many processes, past whoever is in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from catalog import Catalog, Tracer, TraceWriter, strategy_hash, write_signals
from catalog.cli import main
from catalog.errors import CatalogError, TraceFileError
from catalog.register import written
from catalog.store import database, inbox
from conftest import OPEN, rows

RSI = {"type": "rsi", "parameters": {"period": 14}}

# A worker that says that it begins, writes traces, and says of each that it is finalized.
WORKER = """
import sys
from catalog import Tracer, TraceWriter
from catalog.store import database
catalog, run, worker, count, wait = sys.argv[1:6]
database.WAIT_SECONDS = float(wait)
print("begun", flush=True)
for number in range(int(count)):
    name = f"w{worker}_{number}"
    config = {"type": "rsi", "parameters": {"period": int(worker) * 1000 + number}}
    about = {"config": config, "strategy_id": name, "symbol": "SPY", "timeframe": "1m"}
    with TraceWriter(run, catalog=catalog, **about) as trace:
        for bar in range(3):
            trace.append(bar, f"2024-03-26T13:3{bar}:00+00:00", bar % 2, 500.0)
    print(name, flush=True)
"""


def start(catalog: Catalog, run: Path, worker: int, count: int, wait: float = 60.0):
    line = [sys.executable, "-c", WORKER, *map(str, (catalog.path, run, worker, count, wait))]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def nobody_is_known_to_be_busy():
    written._busy_until.clear()


def registered(catalog: Catalog) -> set[str]:
    return {name for (name,) in rows(catalog, "select strategy_id from trace_files")}


def write(catalog: Catalog, run: Path, name: str = "a", config: object = RSI) -> Path:
    about = {"config": config, "strategy_id": name, "symbol": "SPY", "timeframe": "1m"}
    with TraceWriter(run, catalog=catalog.path, **about) as trace:
        trace.append(0, OPEN, 1.0, 500.0)
        trace.append(1, OPEN + timedelta(minutes=1), 0.0, 501.0)
    return trace.path


def test_a_finalized_trace_is_in_the_catalog_without_anyone_doing_anything(catalog, tmp_path):
    path = write(catalog, tmp_path / "runs/r1")

    query = "select path, strategy_hash, run_id, row_count, config_source from trace_files"
    assert rows(catalog, query) == [(str(path), strategy_hash(RSI), "r1", 2, "footer")]
    assert rows(catalog, "select bar_index, val, px from signals") == [
        (0, 1.0, 500.0),
        (1, 0.0, 501.0),
    ]
    assert rows(catalog, "select param_period from strategies") == [(14,)]


def test_signals_and_a_tracer_register_themselves_in_one_transaction(catalog, tmp_path):
    config = [{"type": "t", "parameters": {"x": number}} for number in range(5)]
    values = np.tile([[0.0], [1.0], [0.0]], 5)
    write_signals(
        tmp_path / "r1", values, configs=config, symbol="SPY", timeframe="1m",
        strategy_ids=[str(number) for number in range(5)], catalog=catalog.path,
    )  # fmt: skip
    with Tracer(tmp_path / "r2", catalog=catalog.path) as tracer:
        for bar in range(3):
            about = {"symbol": "SPY", "close": 500.0, "timeframe": "1m"}
            time_of_bar = OPEN + timedelta(minutes=bar)
            tracer.on_event({"event_type": "BAR", "timestamp": time_of_bar, "payload": about})
            for number in range(5):
                payload = {"strategy_id": f"s{number}", "symbol": "SPY", "direction": bar % 2,
                           "strategy_config": config[number]}  # fmt: skip
                tracer.on_event(
                    {"event_type": "SIGNAL", "timestamp": time_of_bar, "payload": payload}
                )

    assert rows(catalog, "select run_id, traces from runs order by 1") == [("r1", 5), ("r2", 5)]
    assert rows(catalog, "select count(distinct registered_at) from trace_files") == [(2,)]
    # The same signals of the same strategies: content is equal, whoever wrote it.
    assert rows(catalog, "select count(distinct content_digest) from trace_files") == [(1,)]
    assert catalog.register(tmp_path / "r2").unchanged == 5


def test_registering_what_was_written_gives_what_the_writers_gave(catalog, tmp_path):
    blend = {"type": "blend", "parameters": {"n": 1}, "strategies": [RSI]}
    for number, config in enumerate([RSI, blend, {**RSI, "constraints": "intraday"}]):
        write(catalog, tmp_path / f"runs/r{number}", f"s{number}", config)
    again = Catalog(tmp_path / "again" / "catalog.duckdb")
    (tmp_path / "again").mkdir()

    again.register(tmp_path / "runs")

    for query in (
        "select * exclude (registered_at) from strategies order by strategy_key",
        "from parameters order by all",
        "from components order by all",
        "select * exclude (registered_at) from trace_files order by trace_id",
        "from signals order by all",
    ):
        assert rows(again, query) == rows(catalog, query), query


@pytest.mark.parametrize(
    ("processes", "traces"), [(3, 2), pytest.param(8, 5, marks=pytest.mark.soak)]
)
def test_many_processes_write_while_a_person_looks(catalog, tmp_path, processes, traces):
    write(catalog, tmp_path / "runs/first")
    workers = [
        start(catalog, tmp_path / f"runs/w{number}", number, traces) for number in range(processes)
    ]

    while any(worker.poll() is None for worker in workers):
        look_at(catalog)
        time.sleep(0.1)
    statuses = [worker.wait() for worker in workers]
    said = {line for worker in workers for line in worker.stdout.read().split()} - {"begun"}
    for worker in workers:
        worker.stdout.close()
    catalog.register(tmp_path / "runs")

    assert statuses == [0] * processes
    assert len(said) == processes * traces
    assert registered(catalog) == said | {"a"}


def look_at(catalog: Catalog) -> None:
    """Have the catalog open for a moment in another client, as soon as it lets one in."""
    try:
        with duckdb.connect(str(catalog.path), read_only=True) as con:
            con.execute("select count(*) from trace_files").fetchall()
            time.sleep(0.02)
    except duckdb.IOException:
        time.sleep(0.005)


def test_who_cannot_get_in_leaves_a_note_that_the_next_writer_takes_in(
    catalog, tmp_path, monkeypatch
):
    write(catalog, tmp_path / "runs/r1", "first")
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(catalog.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    holder.stdout.readline()

    path = write(catalog, tmp_path / "runs/r1", "second")

    holder.communicate("\n")
    assert path.exists()
    assert inbox.waiting_notes(catalog.path) == 1
    assert registered(catalog) == {"first"}
    told = CliRunner().invoke(main, ["sql", "from signals"], env={"CATALOG": str(catalog.path)})
    assert "inbox" in told.stderr and "1 note" in told.stderr

    write(catalog, tmp_path / "runs/r1", "third")

    assert registered(catalog) == {"first", "second", "third"}
    assert inbox.waiting_notes(catalog.path) == 0


HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
print("in", flush=True)
sys.stdin.readline()
"""


def test_processes_that_write_one_run_leave_nothing_to_read_again(catalog, tmp_path):
    code = """
import sys
from catalog import Tracer
catalog, run, worker = sys.argv[1:4]
with Tracer(run, catalog=catalog) as tracer:
    for bar in range(3):
        time = f"2024-03-26T13:3{bar}:00+00:00"
        price = {"symbol": "SPY", "close": 1.0, "timeframe": "1m"}
        tracer.on_event({"event_type": "BAR", "timestamp": time, "payload": price})
        for number in range(5):
            payload = {"strategy_id": f"w{worker}_{number}", "symbol": "SPY", "direction": bar % 2,
                       "strategy_type": "t", "parameters": {"x": number, "worker": worker}}
            tracer.on_event({"event_type": "SIGNAL", "timestamp": time, "payload": payload})
        order = {"symbol": "SPY", "strategy_id": f"w{worker}_0", "order_id": f"{worker}_{bar}"}
        tracer.on_event({"event_type": "ORDER", "timestamp": time, "payload": order})
"""
    line = [sys.executable, "-c", code, str(catalog.path), str(tmp_path / "runs/shared")]
    workers = [subprocess.Popen([*line, str(number)]) for number in range(3)]
    assert [worker.wait() for worker in workers] == [0] * 3

    report = catalog.register(tmp_path / "runs")

    assert (report.registered, report.unchanged) == (0, 15 + 3)
    assert rows(catalog, "select run_id, signals from runs") == [("shared", 15)]
    query = "select count(*), count(distinct order_id), count(strategy_hash) from orders"
    assert rows(catalog, query) == [(9, 9, 9)]


def test_a_note_of_files_that_are_gone_again_is_taken_in_too(catalog, tmp_path):
    write(catalog, tmp_path / "r1")
    inbox.leave_note(catalog.path, [str(tmp_path / "gone.parquet")])
    (catalog.path.with_suffix(".d") / "inbox" / "notes.txt").write_text("mine")

    report = catalog.register(tmp_path / "r1")

    assert report.notes == 1
    assert inbox.waiting_notes(catalog.path) == 0


def test_where_no_note_can_be_left_there_is_an_error_and_the_trace_is_whole(
    catalog, tmp_path, monkeypatch
):
    write(catalog, tmp_path / "r1")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(inbox, "_folder", lambda _: tmp_path / "file" / "inbox")
    with held_by_another(catalog):
        with pytest.raises(CatalogError, match="Cannot leave a note") as raised:
            write(catalog, tmp_path / "r1", "b")

    assert "register their folder" in raised.value.hint
    monkeypatch.undo()
    assert catalog.register(tmp_path / "r1").registered == 1


@contextmanager
def held_by_another(catalog: Catalog):
    """Have the catalog open in another process meanwhile."""
    pipe = subprocess.PIPE
    line = [sys.executable, "-c", HOLD, str(catalog.path)]
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True) as holder:
        holder.stdout.readline()
        yield
        holder.communicate("\n")


def test_a_catalog_that_this_process_has_open_gets_a_note(catalog, tmp_path, monkeypatch):
    write(catalog, tmp_path / "r1", "first")
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    with duckdb.connect(str(catalog.path), read_only=True):
        write(catalog, tmp_path / "r1", "second")
    assert inbox.waiting_notes(catalog.path) == 1

    write(catalog, tmp_path / "r1", "third")

    assert registered(catalog) == {"first", "second", "third"}


def test_what_could_not_be_registered_is_noted_and_tried_again(catalog, tmp_path):
    catalog.path.write_text("this is no database at all " * 1_000)
    about = {"config": RSI, "strategy_id": "a", "symbol": "SPY", "catalog": catalog.path}
    trace = TraceWriter(tmp_path / "r1", **about)
    trace.append(0, OPEN, 1.0)
    tracer = Tracer(tmp_path / "r2", catalog=catalog.path)
    payload = {"strategy_id": "b", "symbol": "SPY", "direction": 1, "strategy_config": RSI}
    tracer.on_event({"event_type": "BAR", "timestamp": OPEN, "payload": {"symbol": "SPY"}})
    tracer.on_event({"event_type": "SIGNAL", "timestamp": OPEN, "payload": payload})

    for writer in (trace, tracer):
        for _ in range(2):
            with pytest.raises(CatalogError, match="not a DuckDB database"):
                writer.finalize()
    assert inbox.waiting_notes(catalog.path) == 4
    catalog.path.unlink()
    trace.finalize()

    assert registered(catalog) == {"a", "b"}
    assert tracer.finalize().traces == 1


def test_a_trace_that_is_refused_is_an_error_of_its_writer(catalog, tmp_path, monkeypatch):
    write(catalog, tmp_path / "r1", "a")
    refusing = "catalog.traces.read._check_range"

    def refuse(*_: object) -> None:
        raise TraceFileError("rows beyond the range", "its rows lie elsewhere")

    monkeypatch.setattr(refusing, refuse)

    with pytest.raises(CatalogError, match=r"was not registered: .*its rows lie elsewhere"):
        write(catalog, tmp_path / "r1", "b")


def test_a_file_that_was_replaced_before_it_was_recorded_is_read_again(
    catalog, tmp_path, monkeypatch
):
    original = written.writing
    path = write(catalog, tmp_path / "r1", "a")
    later = write_elsewhere(tmp_path, {"type": "rsi", "parameters": {"period": 15}}).read_bytes()

    @contextmanager
    def replace_and_write(*arguments, **options):
        if path.read_bytes() != later:
            path.write_bytes(later)
        with original(*arguments, **options) as con:
            yield con

    monkeypatch.setattr(written, "writing", replace_and_write)
    written.register_finalized(catalog.path, [path])

    assert rows(catalog, "select param_period from strategies") == [(15,)]


def write_elsewhere(tmp_path: Path, config: object) -> Path:
    elsewhere = Catalog(tmp_path / "elsewhere.duckdb")
    return write(elsewhere, tmp_path / "elsewhere", "a", config)


def test_a_note_waits_for_a_disk_that_is_not_there(catalog, tmp_path):
    write(catalog, tmp_path / "other", "other")
    path = write_elsewhere(tmp_path, RSI)
    inbox.leave_note(catalog.path, [str(path)])
    (tmp_path / "elsewhere").rename(tmp_path / "unmounted")
    write(catalog, tmp_path / "other", "second")
    (tmp_path / "unmounted").rename(tmp_path / "elsewhere")

    write(catalog, tmp_path / "other", "third")

    assert registered(catalog) == {"other", "second", "third", "a"}
    assert inbox.waiting_notes(catalog.path) == 0


def test_a_note_that_says_nonsense_stops_nobody(catalog, tmp_path):
    write(catalog, tmp_path / "r1", "a")
    inbox.leave_note(catalog.path, ["/no\0where", str(tmp_path / "r1" / "gone.parquet" / "x")])

    write(catalog, tmp_path / "r1", "b")

    assert registered(catalog) == {"a", "b"}


def test_who_has_waited_in_vain_does_not_wait_so_long_again(catalog, tmp_path, monkeypatch):
    write(catalog, tmp_path / "r1", "a")
    waited = []
    original = written.writing

    def note_and_write(path, *, wait=None):
        waited.append(wait)
        return original(path, wait=0.01)

    monkeypatch.setattr(written, "writing", note_and_write)
    with held_by_another(catalog):
        for name in ("b", "c", "d"):
            write(catalog, tmp_path / "r1", name)

    assert waited == [None, 0.2, 0.2]
    assert inbox.waiting_notes(catalog.path) == 3
    written._busy_until.clear()


def test_two_runs_of_one_name_have_the_ids_that_registering_gives(catalog, tmp_path):
    for month in ("jan", "mar"):
        for number in range(3):
            write(catalog, tmp_path / f"runs/{month}/bt", f"{month}{number}")
    (tmp_path / "again").mkdir()
    again = Catalog(tmp_path / "again" / "catalog.duckdb")

    again.register(tmp_path / "runs")

    query = "select run_id, strategy_id, trace_id from trace_files order by all"
    assert rows(again, query) == rows(catalog, query)
    assert rows(catalog, "select count(*) from runs") == [(2,)]


def kill_writers(
    catalog: Catalog, runs: Path, *, kills: int, at_once: int, seed: int
) -> tuple[set[str], int]:
    """Kill writing processes at random moments; return what they had said was finalized."""
    random = np.random.default_rng(seed)
    said: set[str] = set()
    workers: dict[int, subprocess.Popen[str]] = {}
    number = killed = 0
    # A slow machine may need longer than that for anything to be finalized.
    while killed < kills or (not said and killed < 20 * kills):
        while len(workers) < at_once:
            number += 1
            workers[number] = start(catalog, runs / f"w{number}", number, 50)
        victim = int(random.choice(list(workers)))
        # Until it begins there is nothing to lose.
        workers[victim].stdout.readline()
        time.sleep(float(random.uniform(0.1, 0.9)))
        os.kill(workers[victim].pid, signal.SIGKILL)
        said |= finish(workers.pop(victim))
        killed += 1
    for worker in workers.values():
        worker.kill()
        said |= finish(worker)
    return said, number


def finish(worker: subprocess.Popen[str]) -> set[str]:
    text = worker.stdout.read()
    worker.stdout.close()
    worker.wait()
    # A line that was cut off was not said.
    return set(text.rpartition("\n")[0].split()) - {"begun"}


def check_nothing_is_lost(catalog: Catalog, runs: Path, said: set[str]) -> None:
    write(catalog, runs / "after", "after")
    assert said <= registered(catalog)
    report = catalog.register(runs)
    assert not report.needs_attention
    unfinished = [str(path) for path in runs.rglob(".*.tmp")]
    named = " ".join(report.warnings)
    assert not unfinished or any(path in named for path in unfinished)
    assert said <= registered(catalog)
    ((signals, row_count),) = rows(
        catalog,
        "select (select count(*) from signals), (select sum(row_count)::bigint from trace_files)",
    )
    assert signals == row_count


def test_writers_that_are_killed_lose_nothing_that_they_had_finalized(catalog, tmp_path):
    said, _ = kill_writers(catalog, tmp_path / "runs", kills=3, at_once=2, seed=1)

    assert said
    check_nothing_is_lost(catalog, tmp_path / "runs", said)


@pytest.mark.soak
def test_two_hundred_kills_lose_nothing(catalog, tmp_path):
    kills = int(os.environ.get("CATALOG_SOAK_KILLS", "40"))

    said, workers = kill_writers(catalog, tmp_path / "runs", kills=kills, at_once=8, seed=2)

    print(f"{kills} kills of {workers} processes, {len(said)} traces had been finalized")
    check_nothing_is_lost(catalog, tmp_path / "runs", said)


# Full disks and closed folders.


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a few MB, which only root can make."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_on_a_full_disk_a_run_ends_with_a_message_and_goes_on_later(catalog, small_disk, tmp_path):
    write(catalog, small_disk / "r1", "before")
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk)
    ballast.write_bytes(b"x" * (free.f_bavail * free.f_frsize - 4096))

    with pytest.raises(CatalogError, match="No space left"):
        write(catalog, small_disk / "r1", "full", {**RSI, "note": os.urandom(20_000).hex()})
    with (
        pytest.raises(CatalogError, match="No space left"),
        Tracer(small_disk / "r2", catalog=catalog.path) as tracer,
    ):
        bar = {"symbol": "SPY", "close": 1.0}
        tracer.on_event({"event_type": "BAR", "timestamp": OPEN, "payload": bar})
        for number in range(50):
            config = {"type": "t", "parameters": {"noise": os.urandom(5_000).hex()}}
            payload = {"strategy_id": f"s{number}", "symbol": "SPY", "direction": 1,
                       "strategy_config": config}  # fmt: skip
            tracer.on_event({"event_type": "SIGNAL", "timestamp": OPEN, "payload": payload})

    assert registered(catalog) == {"before"}
    assert [path for path in small_disk.rglob(".*") if path.is_file()] == []
    ballast.unlink()
    write(catalog, small_disk / "r1", "after")
    assert {"before", "after"} <= registered(catalog)
    assert not catalog.register(small_disk).needs_attention


def test_in_a_folder_that_may_not_be_written_there_is_a_message(catalog, tmp_path):
    run = tmp_path / "closed"
    run.mkdir(mode=0o555)
    code = f"""
import ctypes
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
import os, sys
os.execv(sys.executable, [sys.executable, "-c", '''{WORKER}''', *sys.argv[1:]])
"""
    words = [sys.executable, "-c", code, str(catalog.path), str(run), "1", "1", "1"]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "catalog.errors.CatalogError: Cannot write" in done.stderr
    assert "Permission denied" in done.stderr
    assert list(run.iterdir()) == []


def test_a_configuration_that_contains_itself_is_refused(catalog, tmp_path):
    config: dict[str, object] = {"type": "ensemble"}
    config["strategies"] = [config]
    deep: dict[str, object] = RSI
    for _ in range(150):
        deep = {"type": "ensemble", "strategies": [deep]}

    for wrong in (config, deep):
        with pytest.raises(CatalogError, match="contains itself, or more than"):
            write(catalog, tmp_path / "r1", "x", wrong)
    assert not catalog.path.exists()
