"""What the benchmark of queries reads: traces, catalogs with and without packs, wide catalogs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from measure import say

from catalog import Catalog
from catalog.store.database import writing
from catalog.store.paths import catalog_root
from catalog.store.views import refresh_views
from catalog.traces.signals import write_signals

BLOCK = 2_000
BARS = 2_000
CHANGES = 50
TYPES = ("bollinger_bands", "rsi_bands", "sma_cross", "breakout", "momentum")
WIDE_TYPES = 10


@dataclass(frozen=True)
class Home:
    """Where everything is that the sides read, in a folder that may be kept for another time."""

    folder: Path

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def loose(self) -> Path:
        """The catalog whose traces are in files."""
        return self.folder / "unpacked.duckdb"

    @property
    def packed(self) -> Path:
        """The catalog of the same files with packs."""
        return self.folder / "catalog.duckdb"

    @property
    def packs(self) -> Path:
        return self.folder / "catalog.d" / "packs"

    @property
    def peers(self) -> Path:
        return self.folder / "peers"

    def wide(self, strategies: int, parameters: int) -> Path:
        return self.folder / "wide" / f"{strategies}_{parameters}"


def make_home(home: Home, files: int) -> int:
    """Make traces and both catalogs where they are not there yet, and count the traces."""
    was_there = home.loose.exists()
    if not was_there:
        say(f"writing {files:,} files")
        for block in range(-(-files // BLOCK)):
            _write_block(home.runs, block, min(BLOCK, files - block * BLOCK))
        say("registering them")
        Catalog(home.loose).register(home.runs)
    if not home.packed.exists():
        say("compacting them")
        # Under the other name the packs are no part of the first catalog.
        shutil.copyfile(home.loose, home.packed)
        Catalog(home.packed).compact()
    for catalog in (home.loose, home.packed) if was_there else ():
        # An older version may have made it: then its views are not what is to be measured.
        with writing(catalog) as con:
            refresh_views(con, catalog_root(catalog))
    ((count,),) = Catalog(home.packed).sql("select count(*) from strategy_index").fetchall()
    ((same,),) = Catalog(home.loose).sql("select count(*) from strategy_index").fetchall()
    if count != files or same != files:
        raise SystemExit(f"{home.folder} holds {same:,} and {count:,} traces, not {files:,}")
    return files


def _write_block(runs: Path, block: int, traces: int) -> None:
    random = np.random.default_rng(block)
    steps = np.zeros((BARS, traces), dtype=np.int16)
    changed = random.random((BARS, traces)).argpartition(CHANGES, axis=0)[:CHANGES]
    columns = np.broadcast_to(np.arange(traces), changed.shape)
    steps[changed, columns] = random.integers(1, 3, changed.shape)
    values = ((1 + steps.cumsum(axis=0)) % 3 - 1).astype(float)
    kind = TYPES[block % len(TYPES)]
    configs = {
        f"{kind}_{block}_{number}": {"type": kind, "parameters": _parameters(block, number)}
        for number in range(traces)
    }
    prices = 100 + random.normal(0, 0.05, BARS).cumsum().round(4)
    write_signals(
        runs / f"sweep_{block}", values, configs=configs, symbol="SPY", timeframe="1m",
        ts=_times(BARS), prices=prices,
    )  # fmt: skip


def _parameters(block: int, number: int) -> dict[str, float]:
    return {
        "period": 5 + number % 60,
        "std_dev": 1 + 0.25 * (number // 60 % 8),
        "stop": round(0.001 * (number // 480), 4),
        "block": block,
    }


def _times(bars: int) -> np.ndarray:
    return np.datetime64("2024-01-02T14:30", "us") + np.arange(bars) * np.timedelta64(60, "s")


def make_wide(folder: Path, strategies: int, parameters: int) -> Path:
    """
    Make a catalog of strategies with many parameters each, of traces of two bars.

    Beyond 50 parameters each of ten types has its own share of them.
    """
    catalog = folder / "catalog.duckdb"
    if catalog.exists():
        return catalog
    say(f"writing {strategies:,} strategies with {parameters} parameters")
    shared, own = (parameters, 0) if parameters <= 50 else (2, (parameters - 2) // WIDE_TYPES)
    for first in range(0, strategies, BLOCK):
        numbers = range(first, min(first + BLOCK, strategies))
        configs = {f"s{n}": _wide_config(n, shared, own) for n in numbers}
        write_signals(
            folder / "runs" / f"sweep_{first}", np.ones((2, len(numbers))), configs=configs,
            symbol="SPY", timeframe="1m", ts=_times(2),
        )  # fmt: skip
    say("registering them")
    Catalog(catalog).register(folder / "runs")
    return catalog


def _wide_config(number: int, shared: int, own: int) -> dict[str, object]:
    kind = number % WIDE_TYPES
    parameters: dict[str, object] = {
        "period": 5 + number % 60,
        "std_dev": 1 + 0.25 * (number // 60 % 8),
    }
    parameters |= {f"p{place}": number // (place + 1) % 97 for place in range(shared - 2)}
    parameters |= {f"t{kind}_{place}": number % 7 for place in range(own)}
    parameters.setdefault("serial", number)
    if own == 0:
        # One of the shared ones makes each strategy another.
        parameters.pop(f"p{shared - 3}")
    return {"type": f"wide_{kind}", "parameters": parameters}


def count_parameters(catalog: Path) -> int:
    """Return how many parameter columns there are."""
    with duckdb.connect(str(catalog), read_only=True) as con:
        ((count,),) = con.execute("select count(*) from parameters").fetchall()
    return int(count)
