"""The demo from end to end: prices, a sweep that registers its traces, metrics, queries, export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

import pyarrow as pa

from catalog.catalog import Catalog
from catalog.demo.grid import combinations
from catalog.demo.prices import TIMEFRAME, load_prices
from catalog.demo.questions import ask
from catalog.demo.sweep import RUN_ID, sweep
from catalog.errors import CatalogError

SPLIT = date(2009, 1, 1)
ADJUSTMENT = "splits and dividends"


@dataclass(frozen=True)
class DemoReport:
    """
    What a demo made, and where.

    `bars`, `strategies` and `traces` are counts; `results` has a title and the rows of each
    query.
    """

    run_directory: Path
    catalog: Path
    index: Path
    symbols: tuple[str, ...]
    bars: int
    strategies: int
    traces: int
    results: tuple[tuple[str, pa.Table], ...]
    seconds: float


def run_demo(
    directory: Path, catalog_path: Path | None = None, *, say: Callable[[str], None]
) -> DemoReport:
    """
    Sweep four strategies over five stocks, and register, measure, query and export their traces.

    Everything is written below `directory`, and so is the catalog unless `catalog_path` names
    another. Progress goes to `say`, a line at a time.

    Raises:
        CatalogError: `directory` is there and not empty, or the prices are not installed.
    """
    started = perf_counter()
    _require_empty(directory)
    prices = load_prices()
    tried = combinations()
    bars = sum(len(series.ts) for series in prices.values())
    say(f"Read {bars:,} daily bars of {', '.join(prices)}")

    run_directory = directory / "runs" / RUN_ID
    catalog = Catalog(catalog_path or directory / "catalog.duckdb")
    traces = sweep(run_directory, catalog.path, tuple(prices.values()), tried)
    say(f"Wrote {traces:,} traces of {len(tried)} strategies to {run_directory}")
    say(f"Registered as they were written in {catalog.path}")

    for series in prices.values():
        catalog.add_prices(
            series.table(), symbol=series.symbol, timeframe=TIMEFRAME, adjustment=ADJUSTMENT
        )
    measured = catalog.metrics(split=SPLIT).measured
    say(f"Measured {measured:,} traces, in sample before {SPLIT} and out of sample from then on")

    results = ask(catalog)
    index = directory / "strategy_index.parquet"
    catalog.export_strategy_index(index)
    say(f"Exported {index}")

    return DemoReport(
        run_directory=run_directory,
        catalog=catalog.path,
        index=index,
        symbols=tuple(prices),
        bars=bars,
        strategies=len(tried),
        traces=traces,
        results=results,
        seconds=perf_counter() - started,
    )


def _require_empty(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise CatalogError(
            f"{directory} is not an empty directory",
            hint="Name a directory that is empty or does not exist yet",
        )
