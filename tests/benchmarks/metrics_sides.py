"""The sides of the benchmark of metrics: the catalog's, dense NumPy, vectorbt."""

from __future__ import annotations

import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from metrics_data import SYMBOL, TIMEFRAME, Bars, Floats, Shape, made_changes
from metrics_dense import DenseMarket, Room, dense_figures

from catalog import Catalog
from catalog.metrics.batches import FIGURES
from catalog.metrics.holdings import holdings_of_changes
from catalog.metrics.market import Market
from catalog.metrics.measure import measure
from catalog.metrics.terms import Terms
from catalog.prices.series import PriceSeries, load_series
from catalog.store.database import reading

Call = Callable[[], dict[str, Any]]
Changes = list[tuple[Bars, Floats]]

SAMPLE = 20
"""Strategies whose figures are compared between the sides."""
BATCH = 400_000
"""Changes, or rows of daily_returns, that the catalog measures together."""
VECTORBT_BARS_PER_YEAR = 365 * 24 * 60


def whole(catalog: str, strategies: int, workers: int) -> Call:
    """Compute all that a catalog lacks with `Catalog.metrics`: read, measure and write."""
    fresh = renewed(Path(catalog))

    def call() -> dict[str, Any]:
        report = Catalog(fresh).metrics(workers=workers)
        assert report.measured == strategies and not report.notes
        return {"files": report.measured, "rows": report.sessions}

    return call


def renewed(catalog: Path) -> Path:
    """Return a copy of a catalog as it was before anything was computed, with the same packs."""
    fresh = catalog.with_name("fresh.duckdb")
    shutil.rmtree(fresh.with_suffix(".d"), ignore_errors=True)
    shutil.copyfile(catalog, fresh)
    return fresh


def computed(prices: str, strategies: int, bars: int, changes: int, workers: int) -> Call:
    """Measure strategies whose changes are in memory, in batches, as the catalog does."""
    series, made = _prepared(prices, strategies, bars, changes)
    sessions = int(series.session[-1]) + 1
    size = max(1, min(-(-BATCH // max(changes, 1)), -(-BATCH // sessions)))

    def batch(market: Market, part: Changes) -> dict[str, Floats]:
        counts = [len(own) for own, _ in part]
        holdings = holdings_of_changes(
            np.concatenate([own for own, _ in part]),
            np.concatenate([values for _, values in part]),
            offsets=np.concatenate(([0], np.cumsum(counts))),
            first=np.zeros(len(part), np.int64),
            last=np.full(len(part), bars - 1),
        )
        return measure(holdings, market, Terms()).figures

    def call() -> dict[str, Any]:
        market = Market(series)
        with ThreadPoolExecutor(workers) as pool:
            found = list(pool.map(lambda part: batch(market, part), _batches(made, size)))
        return _answer({name: np.concatenate([one[name] for one in found]) for name in FIGURES})

    return call


def dense(prices: str, strategies: int, bars: int, changes: int, workers: int) -> Call:
    """Measure the same in dense NumPy, a strategy at a time in each thread."""
    series, made = _prepared(prices, strategies, bars, changes)

    def call() -> dict[str, Any]:
        market, own = DenseMarket(series), threading.local()

        def enter() -> None:
            own.room = Room(bars)

        with ThreadPoolExecutor(workers, initializer=enter) as pool:
            found = list(pool.map(lambda one: dense_figures(market, own.room, *one), made))
        return _answer({name: np.array([one[name] for one, _ in found]) for name in FIGURES})

    return call


def vectorbt(
    prices: str, strategies: int, bars: int, changes: int, chunk: int, limit: int | None = None
) -> Call:
    """
    Measure three figures with vectorbt, so many strategies at once.

    It is handed dense positions, which to make is not timed, and has compiled its loops before.

    Args:
        limit: bytes of address space; a process that needs more of them fails.
    """
    import vectorbt

    if limit is not None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    series, made = _prepared(prices, strategies, bars, changes)
    close = series.close[:, None]

    def three(close: Floats, size: Floats) -> dict[str, Floats]:
        portfolio = vectorbt.Portfolio.from_orders(
            close, size=size, size_type="targetpercent", freq="1min"
        )
        return {
            "total_return": portfolio.total_return().to_numpy(),
            "sharpe_bar": portfolio.sharpe_ratio().to_numpy(),
            "max_drawdown": portfolio.max_drawdown().to_numpy(),
        }

    targets = [_targets(part, bars) for part in _batches(made, chunk)]
    three(close[:500], targets[0][:500])

    def call() -> dict[str, Any]:
        found = [three(close, size) for size in targets]
        figures = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        # It takes the year to be 365 days of 24 hours.
        figures["sharpe_bar"] *= np.sqrt(series.bars_per_year / VECTORBT_BARS_PER_YEAR)
        return _answer(figures)

    return call


def real(catalog: str) -> Call:
    """Compute all that a catalog of real traces lacks, whatever of it can be told."""
    fresh = renewed(Path(catalog))

    def call() -> dict[str, Any]:
        report = Catalog(fresh).metrics()
        traces = report.measured + sum(report.without_figures.values())
        return {"files": traces, "measured": report.measured, "rows": report.sessions}

    return call


def _prepared(prices: str, strategies: int, bars: int, changes: int) -> tuple[PriceSeries, Changes]:
    with reading(Path(prices)) as con:
        series = load_series(con, Path(prices))[SYMBOL, TIMEFRAME]
    return series, list(made_changes(Shape(strategies, bars, changes)))


def _batches(made: Changes, size: int) -> Iterator[Changes]:
    rest = iter(made)
    while part := list(islice(rest, size)):
        yield part


def _targets(part: Changes, bars: int) -> Floats:
    """Return the position that is held after the close of each bar, (bars, strategies)."""
    targets = np.empty((bars, len(part)))
    for column, (own, values) in enumerate(part):
        edges = np.concatenate(([0], own, [bars]))
        targets[:, column] = np.repeat(np.concatenate(([0.0], values)), np.diff(edges))
    return targets


def _answer(figures: dict[str, Any]) -> dict[str, Any]:
    sample = {name: values[:SAMPLE].tolist() for name, values in figures.items()}
    return {"files": len(figures["total_return"]), "sample": sample}
