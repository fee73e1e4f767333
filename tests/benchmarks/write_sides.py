"""What is measured of writing, and the bare loops that it is measured beside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog import Catalog
from catalog.strategy import canonical_json, strategy_hash
from catalog.traces.signals import write_signals
from catalog.traces.tracer import Tracer
from catalog.writing import write_signals as write_and_register_signals

Call = Callable[[], Any]

STRATEGIES = 1_000
_START = datetime(2024, 1, 2, tzinfo=UTC)
_DIRECTIONS = ("long", "short", "flat")


def _events(count: int) -> Iterator[SimpleNamespace]:
    """Yield events of very many bars, one at a time: the events themselves take no memory."""
    random = np.random.default_rng(1)
    payloads = [
        [
            {"strategy_id": f"s{number}", "symbol": "SPY", "direction": direction,
             "strategy_type": "t", "parameters": {"x": number}}
            for direction in _DIRECTIONS
        ]
        for number in range(STRATEGIES)
    ]  # fmt: skip
    state = np.zeros(STRATEGIES, np.int64)
    made, bar = 0, 0
    while made < count:
        time = _START + timedelta(minutes=bar)
        payload = {"symbol": "SPY", "close": 100.0 + bar % 7, "timeframe": "1m"}
        yield SimpleNamespace(event_type="BAR", timestamp=time, payload=payload)
        made, bar = made + 1, bar + 1
        state = (state + (random.random(STRATEGIES) < 0.05)) % 3
        for number, one in enumerate(state[: count - made].tolist()):
            yield SimpleNamespace(
                event_type="SIGNAL", timestamp=time, payload=payloads[number][one]
            )
        made += min(STRATEGIES, count - made)


def _timed(count: int, take: Callable[[list[SimpleNamespace]], None]) -> tuple[int, float]:
    """Feed events in pieces, and time only the taking: making events takes longer."""
    from itertools import islice
    from time import perf_counter

    events, seconds = _events(count), 0.0
    while piece := list(islice(events, 50_000)):
        before = perf_counter()
        take(piece)
        seconds += perf_counter() - before
    return count, seconds


def on_event(folder: str, count: int) -> Call:
    """Take in events with a tracer. Finalizing is not measured here."""
    tracer = Tracer(folder)

    def take(piece: list[SimpleNamespace]) -> None:
        on_event = tracer.on_event
        for event in piece:
            on_event(event)

    return lambda: _timed(count, take)


def bare_loop(folder: str, count: int) -> Call:
    """Look at events as the tracer has to, and keep nothing."""
    known: dict[str, Any] = {}

    def take(piece: list[SimpleNamespace]) -> None:
        for event in piece:
            kind, payload = event.event_type, event.payload
            if kind == "SIGNAL":
                name, direction = payload["strategy_id"], payload["direction"]
                if known.get(name) != direction:
                    known[name] = direction

    return lambda: _timed(count, take)


def _signals(strategies: int, bars: int) -> np.ndarray:
    """Return positions of which two in a hundred bars change."""
    random = np.random.default_rng(5)
    values = np.empty((bars, strategies))
    for number in range(strategies):
        changes = np.cumsum(random.random(bars) < 0.02)
        values[:, number] = changes % 3 - 1
    return values


def _about(strategies: int) -> tuple[list[str], list[dict[str, Any]]]:
    names = [f"s{number}" for number in range(strategies)]
    return names, [{"type": "t", "parameters": {"x": number}} for number in range(strategies)]


def _times(bars: int) -> np.ndarray:
    return np.datetime64("2024-01-02T00:00", "us") + np.arange(bars) * np.timedelta64(60, "s")


def _size(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))


def write_dense(folder: str, strategies: int, bars: int) -> Call:
    """Write dense arrays, without registering."""
    return _write(write_signals, folder, strategies, bars)


def write_and_register(folder: str, strategies: int, bars: int) -> Call:
    """Write dense arrays that register themselves."""
    return _write(
        write_and_register_signals, folder, strategies, bars, catalog=f"{folder}/catalog.duckdb"
    )


def _write(write: Any, folder: str, strategies: int, bars: int, **more: Any) -> Call:
    values, (names, configs), times = _signals(strategies, bars), _about(strategies), _times(bars)
    prices = np.linspace(100, 200, bars)

    def call() -> dict[str, int]:
        paths = write(
            f"{folder}/run", values, configs=configs, strategy_ids=names, symbol="SPY",
            timeframe="1m", ts=times, prices=prices, **more,
        )  # fmt: skip
        return {"files": len(paths), "bytes": _size(folder)}

    return call


def write_floor(folder: str, strategies: int, bars: int) -> Call:
    """Write the changed rows, which are known already, with pyarrow, fsync and rename."""
    values, (names, configs), times = _signals(strategies, bars), _about(strategies), _times(bars)
    prices = np.linspace(100, 200, bars)
    tables = []
    for number, (name, config) in enumerate(zip(names, configs, strict=True)):
        column = values[:, number]
        kept = np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1])))
        count, text = len(kept), canonical_json(config)
        columns = {
            "idx": kept, "ts": pa.array(times[kept], pa.timestamp("us", "UTC")),
            "sym": pa.repeat("SPY", count), "val": column[kept], "strat": pa.repeat(name, count),
            "px": prices[kept], "metadata": pa.array([text, *[None] * (count - 1)], pa.string()),
            "strategy_hash": pa.repeat(strategy_hash(config), count),
        }  # fmt: skip
        tables.append((name, pa.table(columns)))
    del values
    os.makedirs(f"{folder}/run")

    def call() -> dict[str, int]:
        for name, table in tables:
            temporary = f"{folder}/run/.{name}.tmp"
            pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
            descriptor = os.open(temporary, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
            os.rename(temporary, f"{folder}/run/{name}.parquet")
        return {"files": len(tables), "bytes": _size(folder)}

    return call


def write_pandas(folder: str, strategies: int, bars: int) -> Call:
    """Write every bar of every strategy, as people do who have a frame a strategy."""
    import pandas as pd

    values, times = _signals(strategies, bars), _times(bars)
    os.makedirs(f"{folder}/run")

    def call() -> dict[str, int]:
        for number in range(strategies):
            frame = pd.DataFrame({"ts": times, "signal": values[:, number]})
            frame.to_parquet(f"{folder}/run/s{number}.parquet", compression="zstd")
        return {"files": strategies, "bytes": _size(folder)}

    return call


_WORKER = """
import sys
from catalog import Tracer
run, catalog, worker, traces = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
tracer = Tracer(f"{run}/w{worker}", catalog=catalog)
events = []
for bar in range(20):
    time = f"2024-01-02T00:{bar:02}:00+00:00"
    tracer.on_event({"event_type": "BAR", "timestamp": time,
                     "payload": {"symbol": "SPY", "close": 1.0, "timeframe": "1m"}})
    for number in range(traces):
        tracer.on_event({"event_type": "SIGNAL", "timestamp": time, "payload": {
            "strategy_id": f"w{worker}_{number}", "symbol": "SPY", "direction": (bar + number) % 3,
            "strategy_type": "t", "parameters": {"x": number, "worker": int(worker)}}})
print("ready", flush=True)
sys.stdin.readline()
tracer.finalize()
"""


def many_processes(folder: str, processes: int, traces: int) -> Call:
    """Let processes that have traced already finalize and register at one moment."""
    catalog = f"{folder}/catalog.duckdb"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, f"{folder}/runs", catalog, str(number), str(traces)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for number in range(processes)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()

    def call() -> int:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(b"\n")
            worker.stdin.flush()
        assert [worker.wait() for worker in workers] == [0] * processes, "some processes failed"
        # What found the catalog in use for ten seconds is in the inbox: it is not registered yet.
        Catalog(catalog).register(folder + "/runs")
        ((count,),) = Catalog(catalog).sql("select count(*) from trace_files").fetchall()
        return int(count)

    return call
