"""What the benchmark of metrics reads: made-up bars, random signals, and catalogs of both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from measure import say
from numpy.typing import NDArray

from catalog import Catalog
from catalog.errors import MigrationError
from catalog.store.database import writing
from catalog.store.paths import catalog_root
from catalog.store.views import refresh_views
from catalog.traces.signals import write_signals

SYMBOL, TIMEFRAME, ZONE = "MADE", "1m", "America/New_York"
SESSION_BARS = 390
BLOCK = 500
"""Strategies that are made from one seed, and written in one run."""

Bars = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """So many strategies, each with so many changes, over so many one-minute bars."""

    strategies: int
    bars: int
    changes: int

    def __str__(self) -> str:
        return f"{self.strategies:,} strategies × {self.bars:,} bars, {self.changes:,} changes each"


@dataclass(frozen=True)
class Home:
    """Where the catalogs are, in a folder that may be kept for another time."""

    folder: Path

    def catalog(self, shape: Shape) -> Path:
        """Return the path of a catalog whose traces are in packs and that has prices."""
        name = f"{shape.strategies}_strategies_{shape.bars}_bars_{shape.changes}_changes"
        return self.folder / name / "catalog.duckdb"


def made_prices(bars: int) -> pa.Table:
    """Return whole sessions of a random walk in cents, with gaps between them, cut at a bar."""
    random = np.random.default_rng(257)
    sessions = -(-bars // SESSION_BARS)
    steps = random.normal(0, 4e-4, (sessions, SESSION_BARS))
    gaps = random.normal(0, 4e-3, sessions)
    gaps[0] = 0.0
    # From open to close within a session, from close to open between two.
    path = steps.cumsum(axis=1)
    base = np.concatenate(([0.0], (path[:, -1] + np.append(gaps[1:], 0.0))[:-1])).cumsum()
    close = 500 * np.exp(path + base[:, None])
    opening = np.concatenate((500 * np.exp(base)[:, None], close[:, :-1]), axis=1)
    close, opening = close.ravel()[:bars].round(2), opening.ravel()[:bars].round(2)
    spread = np.abs(random.normal(0, 0.1, (2, bars))).round(2)
    return pa.table(
        {
            "ts": _local_times(sessions).ravel()[:bars],
            "open": opening,
            "high": np.maximum(opening, close) + spread[0],
            "low": np.minimum(opening, close) - spread[1],
            "close": close,
            "volume": random.integers(100, 100_000, bars),
        }
    )


def _local_times(sessions: int) -> NDArray[np.datetime64]:
    """Return the beginning of each bar from half past nine, in the market's own time."""
    days = np.fromiter(_trading_days(sessions), "datetime64[D]", sessions)
    minutes = np.timedelta64(570, "m") + np.arange(SESSION_BARS).astype("timedelta64[m]")
    times: NDArray[np.datetime64] = (days[:, None] + minutes).astype("datetime64[us]")
    return times


def _trading_days(count: int) -> Iterator[date]:
    """Yield weekdays from 2022 on but for some holidays."""
    day, holidays = date(2022, 1, 3), {(1, 1), (6, 19), (7, 4), (12, 25)}
    while count:
        if day.weekday() < 5 and (day.month, day.day) not in holidays:
            yield day
            count -= 1
        day += timedelta(days=1)


def made_changes(shape: Shape) -> Iterator[tuple[Bars, Floats]]:
    """
    Yield for each strategy the bars at which its signal changes, and to what.

    The bars are drawn at random; a signal is 1, 0 or -1, and each change is to one of the others.
    """
    for block in range(-(-shape.strategies // BLOCK)):
        random = np.random.default_rng([shape.bars, shape.changes, block])
        for _ in range(min(BLOCK, shape.strategies - block * BLOCK)):
            bars = random.choice(shape.bars, shape.changes, replace=False, shuffle=False)
            steps = random.integers(1, 3, shape.changes)
            yield np.sort(bars), ((1 + steps.cumsum()) % 3 - 1).astype(float)


def make_catalog(home: Home, shape: Shape) -> Path:
    """Make a catalog where it is not there yet: traces, registered and compacted, and prices."""
    path = home.catalog(shape)
    if _is_there(path):
        return path
    say(f"writing {shape}")
    # It gets its name when it is whole; the paths in it are relative to it.
    folder = path.parent.with_suffix(".unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    catalog = Catalog(folder / path.name)
    _add_prices(catalog, shape.bars)
    rows = catalog.sql("select ts, close from bars order by bar_index").arrow()
    _write_traces(folder / "runs", shape, rows)
    say("registering them")
    report = catalog.register(folder / "runs")
    assert report.registered == shape.strategies and not report.needs_attention
    say("compacting them")
    catalog.compact()
    folder.rename(path.parent)
    return path


def make_market(home: Home, bars: int) -> Path:
    """Make a catalog where it is not there yet that has prices and no traces."""
    path = home.folder / f"market_{bars}_bars" / "catalog.duckdb"
    if not _is_there(path):
        path.parent.mkdir(parents=True)
        _add_prices(Catalog(path), bars)
    return path


def _is_there(catalog: Path) -> bool:
    """See that a catalog is there and as this version makes it; one that cannot be goes."""
    if not catalog.exists():
        return False
    try:
        with writing(catalog) as con:
            refresh_views(con, catalog_root(catalog))
    except MigrationError:
        shutil.rmtree(catalog.parent)
        return False
    return True


def _add_prices(catalog: Catalog, bars: int) -> None:
    added = catalog.add_prices(made_prices(bars), symbol=SYMBOL, timeframe=TIMEFRAME, tz=ZONE)
    assert added.sessions == -(-bars // SESSION_BARS) and not added.needs_attention


def _write_traces(runs: Path, shape: Shape, rows: Any) -> None:
    ts = rows["ts"].to_numpy().astype("datetime64[us]")
    close = rows["close"].to_numpy()
    changes = made_changes(shape)
    for first in range(0, shape.strategies, BLOCK):
        numbers = range(first, min(first + BLOCK, shape.strategies))
        values = {f"bands_{number}": next(changes) for number in numbers}
        configs = {f"bands_{number}": _config(number) for number in numbers}
        write_signals(
            runs / f"sweep_{first}", values, configs=configs, symbol=SYMBOL, timeframe=TIMEFRAME,
            ts=ts, prices=close, bar_index=np.arange(shape.bars),
        )  # fmt: skip


def _config(number: int) -> dict[str, Any]:
    parameters = {"period": 5 + number % 60, "std_dev": 1 + number // 60 % 8 / 4, "seed": number}
    return {"type": "bands", "parameters": parameters}


def make_real(home: Home, data: Path) -> tuple[dict[str, Path], int]:
    """Make catalogs of the real traces, in their files and in packs, and count the signals."""
    folder = home.folder / "real"
    paths = {name: folder / name / "catalog.duckdb" for name in ("files", "packs")}
    for name, path in paths.items():
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir(parents=True)
        catalog = Catalog(path)
        prices = data / "prices" / "SPY_1m.parquet"
        catalog.add_prices(prices, symbol="SPY", timeframe="1m", tz=ZONE)
        catalog.register(data / "old_traces", sweeps=sorted((data / "sweeps").glob("*.yaml")))
        if name == "packs":
            catalog.compact()
    ((traces,),) = catalog.sql("select count(*) from strategy_index").fetchall()
    return paths, traces
