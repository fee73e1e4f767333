"""What a registration promises whatever happens to it: real processes that are killed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli import main
from conftest import old_trace, rows

TRACES = 200

# A registration in many small batches, by processes beside it, that says how far it is.
REGISTER = """
import sys
from catalog.register import batches, reading
batches.BATCH_SIZE = 20
reading.WORTHWHILE = int(sys.argv.pop(1))
print("begun", flush=True)
from catalog.cli import main
main()
"""


@pytest.fixture
def runs(tmp_path) -> Path:
    """Some hundred traces in several runs, and what lies beside them."""
    for number in range(TRACES):
        run = tmp_path / "runs" / f"run_{number % 7}"
        old_trace(run / f"traces/SPY_1m/signals/grid_{number % 3}/{number}.parquet", [1, 0, number])
        (run / "metadata.json").write_text('{"total_bars": 50}')
    return tmp_path / "runs"


def start(catalog: Catalog, *words: object, worthwhile: int = 10_000) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", REGISTER, str(worthwhile), *map(str, words)]
    environment = {**os.environ, "CATALOG": str(catalog.path)}
    pipe = subprocess.PIPE
    # A group of its own, as a shell gives it, so that Ctrl-C reaches it and nobody else.
    process = subprocess.Popen(
        line, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "begun\n"
    return process


def wait_for_a_batch(catalog: Catalog, process: subprocess.Popen[str], before: int) -> None:
    """Wait until something new was written to the catalog, or the process has ended."""
    wal = catalog.path.with_name(catalog.path.name + ".wal")
    while process.poll() is None:
        for path in (catalog.path, wal):
            if path.exists() and path.stat().st_mtime_ns > before:
                return
        time.sleep(0.001)


def registered(catalog: Catalog) -> int:
    """Count the registered traces, after checking that the views agree with them."""
    if not catalog.path.exists():
        return 0
    # In one query: another process may write between two.
    ((traces, strategies, row_count, signals),) = rows(
        catalog,
        """
        select
            (select count(*) from trace_files),
            (select count(*) from strategies),
            (select coalesce(sum(row_count), 0)::bigint from trace_files),
            (select count(*) from signals)
        """,
    )
    assert signals == row_count
    assert strategies == traces
    return traces


@pytest.mark.parametrize("worthwhile", [0, 10_000], ids=["with readers", "alone"])
def test_a_registration_that_is_killed_leaves_a_consistent_catalog_and_goes_on(
    catalog, runs, worthwhile
):
    counts = [0]
    for pause in (0.0, 0.01, 0.05):
        before = time.time_ns()
        with start(catalog, "register", runs, worthwhile=worthwhile) as process:
            wait_for_a_batch(catalog, process, before)
            time.sleep(pause)
            process.kill()
        counts.append(registered(catalog))

    report = catalog.register(runs)

    assert counts == sorted(counts)
    assert 0 < counts[-1] < TRACES
    assert (report.registered, report.unchanged) == (TRACES - counts[-1], counts[-1])
    assert registered(catalog) == TRACES
    assert [path.name for path in catalog.path.parent.iterdir() if ".tmp" in path.name] == []


def test_no_reader_outlives_a_registration_that_is_killed(catalog, runs):
    with start(catalog, "register", runs, worthwhile=0) as process:
        children = wait_for_children(process.pid)
        process.kill()

    deadline = time.monotonic() + 10
    while any(map(runs_still, children)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(children) > 0
    assert not any(map(runs_still, children))


def wait_for_children(pid: int) -> list[int]:
    for _ in range(2_000):
        for task in Path(f"/proc/{pid}/task").iterdir():
            if children := (task / "children").read_text().split():
                return list(map(int, children))
        time.sleep(0.005)
    return []


def runs_still(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("worthwhile", [0, 10_000], ids=["with readers", "alone"])
def test_ctrl_c_ends_with_a_message_and_the_next_registration_goes_on(catalog, runs, worthwhile):
    for pause in (0.0, 0.03):
        before = time.time_ns()
        with start(catalog, "register", runs, worthwhile=worthwhile) as process:
            wait_for_a_batch(catalog, process, before)
            time.sleep(pause)
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=60)

        assert process.returncode == 1
        assert errors.splitlines()[-1].startswith("stopped: "), errors
        assert "Traceback" not in errors

    done = registered(catalog)
    report = catalog.register(runs)

    assert 0 < done < TRACES
    assert report.unchanged == done
    assert registered(catalog) == TRACES


def test_no_command_changes_or_deletes_a_trace_file(catalog, runs, tmp_path):
    before = fingerprint(runs)
    for words in (
        ["register", runs],
        ["register", runs],
        ["register", runs, "--dry-run"],
        ["info"],
        ["show", "run_0/0"],
        ["find", "--type", "x"],
        ["sql", "from signals"],
        ["export", tmp_path / "index.parquet"],
    ):
        done = CliRunner().invoke(main, [*map(str, words), "--catalog", str(catalog.path)])
        assert done.exit_code == 0, done.output

    assert fingerprint(runs) == before


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Return time and digest of every file in a folder."""
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_registering_makes_way_for_other_processes_between_its_batches(catalog, runs):
    with start(catalog, "register", runs) as process:
        while process.poll() is None and not catalog.path.exists():
            time.sleep(0.001)
        seen = set()
        while process.poll() is None:
            seen.add(registered(catalog))
            time.sleep(0.05)

        assert process.wait() == 0
    assert len(seen) > 1
    assert registered(catalog) == TRACES
