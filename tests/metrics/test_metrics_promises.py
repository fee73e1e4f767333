"""What holds when metrics are stopped, crowded, or out of disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from catalog import Catalog
from catalog.errors import CatalogError
from catalog.metrics import compute, record
from conftest import rows
from markets import add_prices, copied, price_table, random_signals, write_strategies

MEASURE = """
import sys
from catalog import Catalog
from catalog.metrics import compute
compute._PIECE_ROWS = compute._CHANGES = compute._SESSION_ROWS = 400
print("begun", flush=True)
Catalog(sys.argv[1]).metrics(**eval(sys.argv[2]))
"""
KILLS = int(os.environ.get("CATALOG_SOAK_KILLS", "3"))


@pytest.fixture(scope="module")
def swept_once(tmp_path_factory) -> Catalog:
    made = Catalog(tmp_path_factory.mktemp("swept") / "catalog.duckdb")
    table = price_table(sessions=25)
    write_strategies(made, random_signals(500, 60, changes=30), table)
    add_prices(made, table)
    return made


@pytest.fixture
def swept(swept_once, tmp_path) -> Catalog:
    return copied(swept_once, tmp_path)


@contextmanager
def measuring(catalog: Catalog, options: str = "{}") -> Iterator[subprocess.Popen]:
    """A process that measures, and has begun."""
    with subprocess.Popen(
        [sys.executable, "-c", MEASURE, str(catalog.path), options], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def state(catalog: Catalog) -> dict:
    """Figures and session returns by trace, without what differs between runs."""
    return {
        name: rows(catalog, query)
        for name, query in {
            "metrics": "select * exclude (computed_at) from metrics order by trace_id, period",
            "returns": "from daily_returns order by trace_id, session_date",
        }.items()
    }


def assert_same(found: dict, wanted: dict) -> None:
    for name, lines in wanted.items():
        assert len(found[name]) == len(lines)
        for one, other in zip(found[name], lines, strict=True):
            assert [
                pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
                for value in other
            ] == list(one)


def test_a_run_that_is_killed_goes_on_where_it_was_and_leaves_nothing_half_done(swept):
    swept.metrics()
    wanted = state(swept)
    add_prices(swept, price_table(sessions=25, seed=9))
    add_prices(swept, price_table(sessions=25))

    began = time.monotonic()
    with measuring(swept) as process:
        process.wait()
    whole = time.monotonic() - began
    add_prices(swept, price_table(sessions=25, seed=9))
    add_prices(swept, price_table(sessions=25))
    halves = set()
    for number in range(KILLS):
        with measuring(swept) as process:
            time.sleep(whole * number / KILLS / 2)
            process.send_signal(signal.SIGKILL)
        ((measured,),) = rows(swept, "select count(*) from metrics")
        ((returned,),) = rows(swept, "select count(distinct trace_id) from daily_returns")
        assert measured == returned
        halves.add(measured)

    swept.metrics()

    assert_same(state(swept), wanted)
    folder = swept.path.with_suffix(".d") / "returns"
    known = rows(swept, "select count(*) from daily_returns")
    assert known == [(60 * 25,)]
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
    assert halves != {60}


def test_processes_side_by_side_measure_everything_once(swept):
    options = ["{}", "{}", "{'fill': 'next_open'}"]
    with ExitStack() as stack:
        for process in [stack.enter_context(measuring(swept, one)) for one in options]:
            assert process.wait() == 0

    counted = rows(swept, "select cost_bps, fill, count(*) from metrics group by all order by all")
    assert counted == [(0.0, "close", 60), (0.0, "next_open", 60)]
    assert rows(swept, "select count(*) from daily_returns") == [(60 * 25,)]
    assert rows(swept, "select count(*) from daily_returns_next_open") == [(60 * 25,)]


def test_prices_that_change_meanwhile_are_not_mixed(swept, monkeypatch):
    real, others = compute.record_piece, threading.Event()

    def record_after_others(catalog, piece):
        if not others.is_set():
            others.set()
            add_prices(swept, price_table(sessions=25, seed=3))
        return real(catalog, piece)

    monkeypatch.setattr(compute, "record_piece", record_after_others)

    with pytest.raises(CatalogError, match=r"Other prices were added while .* SPY 1m"):
        swept.metrics()

    assert rows(swept, "select count(*) from metrics") == [(0,)]
    assert swept.metrics().measured == 60


def test_who_is_stopped_just_after_the_commit_keeps_the_returns(swept, monkeypatch):
    write = record._write

    def stopped(*arguments: object) -> None:
        write(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(record, "_write", stopped)
        with pytest.raises(KeyboardInterrupt):
            swept.metrics()

    assert rows(swept, "select count(*) from daily_returns") == [(60 * 25,)]
    assert swept.metrics().measured == 0


def test_a_full_disk_leaves_everything_as_it_was(swept):
    swept.metrics(where="param_fast <= 7")
    before = state(swept)
    small = swept.path.with_suffix(".d") / "returns"
    kept = [(path.name, path.read_bytes()) for path in small.iterdir()]
    size = 4096 * (2 + sum(-(-len(data) // 4096) for _, data in kept))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        for name, data in kept:
            (small / name).write_bytes(data)

        with pytest.raises(CatalogError) as full:
            swept.metrics()

        assert "No space left" in str(full.value)
        assert sorted(os.listdir(small)) == sorted(name for name, _ in kept)
        assert_same(state(swept), before)
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert swept.metrics().measured == 42


def test_many_small_runs_leave_one_pack(swept):
    for fast in range(5, 9):
        swept.metrics(where=f"param_fast = {fast}")

    assert len(list((swept.path.with_suffix(".d") / "returns").iterdir())) == 1
    assert rows(swept, "select count(*) from daily_returns") == [(4 * 6 * 25,)]


def test_a_pack_of_returns_that_is_gone_is_said_and_made_again(swept):
    swept.metrics()
    for path in (swept.path.with_suffix(".d") / "returns").iterdir():
        path.unlink()

    with pytest.raises(CatalogError) as refused:
        swept.sql("from daily_returns")
    assert "catalog metrics" in (refused.value.hint or "")

    swept.metrics()
    assert rows(swept, "select count(*) from daily_returns") == [(60 * 25,)]


def test_figures_and_returns_move_with_the_catalog(swept, tmp_path):
    swept.metrics()
    wanted = state(swept)
    swept.path.parent.rename(tmp_path / "elsewhere")

    moved = Catalog(tmp_path / "elsewhere" / swept.path.name)

    assert_same(state(moved), wanted)
