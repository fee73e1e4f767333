"""Processes that write queue; who cannot get in says who is in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from catalog.errors import CatalogBusyError, StoreError
from catalog.store import database
from catalog.store.database import reading, writing
from catalog.store.lock import writing_lock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.duckdb"
    with writing(path):
        pass
    return path


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


HOLD = """
    import sys
    from pathlib import Path
    from catalog.store.database import writing
    with writing(Path(sys.argv[1])):
        print("in", flush=True)
        sys.stdin.readline()
"""

INSERT = """
    import sys
    from pathlib import Path
    from catalog.store.database import writing
    for number in range(int(sys.argv[3])):
        with writing(Path(sys.argv[1])) as con:
            con.execute("insert into event_strategy values (?, 'x', 'x', 'x', 'x')", [sys.argv[2]])
"""


@pytest.mark.parametrize(
    ("processes", "times"), [(8, 5), pytest.param(16, 20, marks=pytest.mark.soak)]
)
def test_processes_that_write_at_once_all_succeed(path, processes, times):
    writers = [start(INSERT, path, number, times) for number in range(processes)]

    statuses = [writer.wait() for writer in writers]

    for writer in writers:
        writer.stdin.close()
        writer.stdout.close()
    assert statuses == [0] * processes
    with reading(path) as con:
        rows = con.execute("select count(*) from event_strategy").fetchall()
    assert rows == [(processes * times,)]


def test_a_writer_that_waits_too_long_names_the_process_in_its_way(path):
    with start(HOLD, path) as holder:
        holder.stdout.readline()

        with pytest.raises(CatalogBusyError, match=f"process {holder.pid}"):
            with writing_lock(path, wait=0.05):
                pass

        holder.communicate("\n")


def test_who_gave_up_waiting_holds_nothing_afterwards(path):
    with start(HOLD, path) as holder:
        holder.stdout.readline()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            # Not even long enough for the waiting to begin.
            with pytest.raises(CatalogBusyError), writing_lock(path, wait=0.0):
                pass
        holder.communicate("\n")

    with writing_lock(path):
        pass
    deadline = time.monotonic() + 10
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_reader_that_waits_too_long_names_the_process_in_its_way(path, monkeypatch):
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    with start(HOLD, path) as holder:
        holder.stdout.readline()

        with pytest.raises(CatalogBusyError, match=f"in use by process {holder.pid}"):
            with reading(path):
                pass

        holder.communicate("\n")


def test_the_lock_of_a_killed_process_is_free(path):
    with start(HOLD, path) as holder:
        holder.stdout.readline()
        holder.kill()
        holder.wait()

        with writing(path) as con:
            con.execute("select 1").fetchall()


def test_reading_a_catalog_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(StoreError, match="no catalog") as refused:
        with reading(tmp_path / "catalog.duckdb"):
            pass

    assert "catalog register" in str(refused.value.hint)
    assert os.listdir(tmp_path) == []
