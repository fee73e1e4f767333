"""The demo from end to end: prices, sweep, traces, register, three queries, export."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa

from catalog.catalog import Catalog
from catalog.demo import strategies
from catalog.demo.grid import Combination, combinations
from catalog.demo.prices import TIMEFRAME, Prices, load_prices
from catalog.demo.questions import ask
from catalog.errors import CatalogError
from catalog.traces.write import write_trace

# Not the time of day: the same prices and code make the same traces, and so the same run.
RUN_ID = "demo"


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
    Sweep four strategies over five stocks, and register, query and export their traces.

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
    traces = write_traces(run_directory, prices.values(), tried)
    say(f"Wrote {traces:,} traces of {len(tried)} strategies to {run_directory}")

    catalog = Catalog(catalog_path or directory / "catalog.duckdb")
    catalog.register(directory / "runs")
    say(f"Registered them in {catalog.path}")

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


def write_traces(
    run_directory: Path, prices: Iterable[Prices], tried: Iterable[Combination]
) -> int:
    """Write a trace of every combination on every symbol, and return how many there are."""
    run_directory.mkdir(parents=True, exist_ok=True)
    tried = tuple(tried)
    code_digest = hashlib.sha256(inspect.getsource(strategies).encode()).hexdigest()
    count = 0
    for series in prices:
        bar_index = np.arange(len(series.ts))
        data_digest = series.digest
        for combination in tried:
            write_trace(
                run_directory,
                config=combination.config,
                strategy_id=f"{series.symbol}_{combination.name}",
                symbol=series.symbol,
                timeframe=TIMEFRAME,
                bar_index=bar_index,
                ts=series.ts,
                values=combination.positions(series.close),
                prices=series.close,
                first_bar=0,
                last_bar=len(bar_index) - 1,
                first_ts=series.ts[0],
                last_ts=series.ts[-1],
                run_id=RUN_ID,
                data_digest=data_digest,
                code_digest=code_digest,
            )
            count += 1
    return count


def _require_empty(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise CatalogError(
            f"{directory} is not an empty directory",
            hint="Name a directory that is empty or does not exist yet",
        )
