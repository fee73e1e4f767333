"""
Make tests/store/fixtures/schema_NNNN.tar.xz with the catalog that is installed.

    python tests/store/make_schema.py FOLDER

It was run with the program as it was when each migration was the newest, and is to be run before
one is added: the catalogs of then are what `test_upgrades.py` brings up to date. What a program of
then could not do yet (write traces, compact, measure) is left out.
"""

from __future__ import annotations

import os
import sys
import tarfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import catalog as program
from catalog import Catalog
from catalog.store.migrations import known_migrations

OPEN = datetime(2024, 3, 26, 13, 30, tzinfo=UTC)
WRITTEN = 1_700_000_000
"""When all files say that they were written: to the second, which any archive keeps."""
SWEEP = """
name: grid
symbols: [SPY]
strategies:
  - {type: sma_crossover, name: sma_grid, params: {fast: [5, 10], slow: [20, 50]}}
"""


def old_trace(path: Path, values: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, bars = len(values), [3 * i for i in range(len(values))]
    table = pa.table(
        {
            "idx": pa.array([bar + 1 for bar in bars], pa.int64()),
            "ts": [(OPEN + timedelta(minutes=bar)).isoformat() for bar in bars],
            "sym": ["SPY"] * count,
            "val": pa.array(values, pa.int64()),
            "strat": [path.stem] * count,
            "px": [0.0] * count,
            "tf": ["1m"] * count,
            "src_file": ["./data/SPY_1m.csv"] * count,
            "src_type": ["file"] * count,
        }
    )
    keys = {"run_id": path.stem, "total_bars": str(bars[-1] + 1)}
    pq.write_table(table.replace_schema_metadata(keys), path)


def make(folder: Path) -> None:
    runs = folder / "runs"
    for name, shift in (("june", 0), ("july", 1)):
        for number, values in enumerate(([1, 0, -1], [0, 1, 0], [1, -1, 0, 1], [-1, 1])):
            fast, slow = (5, 10)[number // 2], (20, 50)[number % 2]
            place = runs / name / "traces" / "SPY_1m" / "signals" / "sma_grid"
            old_trace(place / f"SPY_sma_grid_{fast}_{slow}.parquet", values[shift:] + [0] * shift)
    (folder / "grid.yaml").write_text(SWEEP)
    (runs / "june" / "broken.parquet").write_bytes(b"no Parquet at all")
    one = Catalog(folder / "catalog.duckdb")
    minutes = np.datetime64("2024-03-26T13:30", "us") + np.arange(60) * np.timedelta64(60, "s")
    prices = 100 + np.cumsum(np.random.default_rng(1).normal(0, 0.1, 60)).round(2)
    if hasattr(program, "write_signals"):
        values = np.random.default_rng(2).integers(-1, 2, (60, 4)) / 2
        parts = [{"type": "sma", "parameters": {"n": n}} for n in (3, 5)]
        both = {"type": "ensemble", "parameters": {}, "strategies": parts}
        configs = {"sma_3": parts[0], "sma_5": parts[1], "both": both}
        program.write_signals(
            runs / "ours", values[:, :3], configs=configs, symbol="SPY", timeframe="1m",
            ts=minutes, prices=prices, catalog=folder / "other.duckdb",
        )  # fmt: skip
        (folder / "other.duckdb").unlink()
    for path in runs.rglob("*.parquet"):
        os.utime(path, (WRITTEN, WRITTEN))
    one.register(runs, sweeps=[folder / "grid.yaml"])
    if hasattr(one, "compact"):
        one.compact(run="july", delete_originals=True)
    if hasattr(one, "add_prices"):
        table = pa.table({"ts": pa.array(minutes, pa.timestamp("us", "UTC")), "close": prices})
        one.add_prices(table, symbol="SPY", timeframe="1m", tz="America/New_York")
        one.metrics()
        one.metrics(cost_bps=2)


def pack(folder: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != "lock" and folder / "other.d" not in path.parents:
                tar.add(path, str(path.relative_to(folder)))


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True)
    make(place)
    archive = place.with_name(f"schema_{len(known_migrations()):04}.tar.xz")
    with suppress(FileNotFoundError):
        archive.unlink()
    pack(place, archive)
    print(archive, archive.stat().st_size)
