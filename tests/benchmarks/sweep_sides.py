"""The sides of the benchmark of sweeps, and the catalog that they ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryFile
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.sweeps.file import load_sweep
from catalog.sweeps.members import key_batches

BARS = 100_000


def making(*, home: str, count: int, known: int) -> Callable[[], int]:
    """Return what makes a sweep file and a catalog; in a process of its own it takes no memory."""

    def run() -> int:
        _make_catalog(Path(home), count, known)
        return count

    return run


def _make_catalog(home: Path, configurations: int, known: int) -> None:
    """
    Make a sweep file of so many configurations, and a catalog that knows some of them.

    Its rows are inserted, as if traces had been registered: of ten six are done, two are behind,
    one is stale, and one does not say which prices it saw.
    """
    from catalog import Catalog

    side = round(configurations**0.5)
    sweep = home / "grid.yaml"
    sweep.write_text(
        "name: grid\nsymbols: [SPY]\ntimeframes: [1m]\nstrategies:\n"
        f"  - {{type: sma, params: {{fast: {{from: 1, to: {side}, step: 1}}, mode: close, "
        f"width: {{from: 0.5, to: {side / 2}, step: 0.5}}}}}}\n"
    )
    catalog = Catalog(home / "catalog.duckdb")
    table = _prices()
    # What is behind ends where the prices once ended.
    for bars in (table.slice(0, (len(table) - 1) // 2 + 2), table):
        catalog.add_prices(bars, symbol="SPY", timeframe="1m", tz="UTC")
    keys = [key for _, _, keys in key_batches(load_sweep(sweep).grids) for key in keys]
    chosen = np.random.default_rng(1).choice(len(keys), known, replace=False)
    ts = table["timestamp"].to_numpy().astype("datetime64[us]")
    digests = [_digest(table, last) for last in (len(ts) - 1, (len(ts) - 1) // 2 + 1)]
    rows = _rows([keys[place] for place in chosen.tolist()], ts, digests)
    with writing(catalog.path) as con, transaction(con), registered(con, staged=rows):
        con.execute(statement("insert_traces"))


def _prices() -> pa.Table:
    ts = np.datetime64("2024-01-01", "us") + np.arange(BARS) * np.timedelta64(60, "s")
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 1e-4, BARS)))
    return pa.table({"timestamp": pa.array(ts, pa.timestamp("us", "UTC")), "close": close})


def _digest(table: Any, last: int) -> str:
    from catalog.traces.content import prices_digest

    part = table.slice(0, last + 1).combine_chunks()
    return prices_digest(part["timestamp"].combine_chunks(), part["close"].combine_chunks())


def _rows(keys: list[str], ts: Any, digests: list[str]) -> pa.Table:
    count, last = len(keys), len(ts) - 1
    number = np.arange(count)
    # Of ten: six done, two on half of the bars, one on other prices, one that says no prices.
    part = number % 10
    is_half = (part == 6) | (part == 7)
    last_bar = np.where(is_half, last // 2 + 1, last)
    data = np.array([*digests, "0" * 64])[np.where(part == 8, 2, is_half.astype(int))]
    names = [f"{n:016x}" for n in range(count)]
    now = pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), count)
    zeros = pa.array(np.zeros(count, np.int64))
    times = pa.array(ts, pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "trace_id": names,
            "kind": pa.repeat("signal", count),
            "run_id": pa.repeat("run", count),
            "directory_id": pa.repeat(pa.scalar(1, pa.int32()), count),
            "file_name": [f"{name}.parquet" for name in names],
            "run_path": names,
            "strategy_id": names,
            "strategy_hash": [key[:12] for key in keys],
            "strategy_key": [key[:12] for key in keys],
            "strategy_type": pa.repeat("sma", count),
            "latest_key": keys,
            "symbol": pa.repeat("SPY", count),
            "timeframe": pa.repeat("1m", count),
            "generation": pa.repeat("G5", count),
            "idx_base": pa.array(np.zeros(count, np.int8)),
            "row_count": zeros,
            "first_bar": zeros,
            "last_bar": pa.array(last_bar),
            "first_ts": times.take(zeros),
            "last_ts": times.take(pa.array(last_bar)),
            "data_digest": pa.array(data, pa.string(), mask=part == 9),
            "rows_digest": names,
            "content_digest": names,
            "file_digest": names,
            "file_size_bytes": zeros,
            "mtime_ns": zeros,
            "created_at": now,
            "registered_at": now,
            "status": pa.repeat("registered", count),
        }
    )


def command(*, sweep: str, catalog: str, count: int, what: str) -> Callable[[], Any]:
    """Run `catalog sweep missing --format jsonl` or `sweep status` in a process of its own."""
    words = ["missing", sweep, "--format", "jsonl"] if what == "missing" else ["status", sweep]

    def run() -> Any:
        with TemporaryFile() as file:
            subprocess.run(
                [sys.executable, "-m", "catalog", "sweep", *words, "--catalog", catalog],
                stdout=file,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            file.seek(0)
            peak = getrusage(RUSAGE_CHILDREN).ru_maxrss
            return {"files": count, "lines": sum(1 for _ in file), "peak_kilobytes": peak}

    return run


def hashing(*, count: int) -> Callable[[], int]:
    """Hash the JSON of each configuration, as a loop of one's own would."""
    side = round(count**0.5)

    def run() -> int:
        keys = [
            sha256(
                json.dumps(
                    {"type": "sma", "parameters": {"fast": f, "mode": "close", "width": w}},
                    sort_keys=True,
                    separators=(",", ":"),
                ).encode()
            ).hexdigest()[:32]
            for f, w in product(range(1, side + 1), (0.5 * n for n in range(1, side + 1)))
        ]
        return len(keys)

    return run


def generic(*, sweep: str, count: int) -> Callable[[], int]:
    """Make the key of each configuration with `config_key`, one by one."""
    from catalog.strategy import config_key

    read = load_sweep(sweep)
    return lambda: len([config_key(strategy.config) for strategy in read.expand()])


def anti_join(*, sweep: str, catalog: str, count: int) -> Callable[[], int]:
    """Look up keys that are there already, in plain SQL: what cannot be done without."""
    keys = [key for _, _, keys in key_batches(load_sweep(sweep).grids) for key in keys]
    wanted = pa.table({"config_key": keys})
    query = (
        "select count(*) from (from wanted anti join (select latest_key as config_key "
        "from internal.trace_file where symbol = 'SPY' and timeframe = '1m') using (config_key))"
    )

    def run() -> int:
        with duckdb.connect(catalog, read_only=True) as con:
            con.register("wanted", wanted)
            con.execute(query)
        return len(keys)

    return run
