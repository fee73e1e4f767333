"""Replay the bars of some symbols past every strategy, and trace what the strategies say."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

from catalog.demo import strategies
from catalog.demo.grid import Combination
from catalog.demo.prices import TIMEFRAME, Prices
from catalog.writing import Tracer

# Not the time of day: the same prices and code make the same traces, and so the same run.
RUN_ID = "demo"


def sweep(
    run_directory: Path, catalog: Path, prices: Sequence[Prices], tried: Sequence[Combination]
) -> int:
    """
    Trace every combination on every symbol, a symbol at a time in each of several processes.

    Every process has a tracer of its own, which registers what it wrote in the one catalog.
    Returns how many traces there are.
    """
    workers = min(cpu_count() or 1, len(prices))
    trace = partial(_trace, run_directory, catalog, tried)
    # Not forked: a forked process would have the threads of DuckDB and Arrow, and stand still.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(trace, prices))


def _trace(run_directory: Path, catalog: Path, tried: Sequence[Combination], series: Prices) -> int:
    names = [f"{series.symbol}_{combination.name}" for combination in tried]
    positions = [combination.positions(series.close) for combination in tried]
    with Tracer(run_directory, catalog=catalog, run_id=RUN_ID, code=strategies) as tracer:
        for bar, (time, close) in enumerate(zip(series.ts, series.close, strict=True)):
            payload = {"symbol": series.symbol, "close": close, "timeframe": TIMEFRAME}
            tracer.on_event({"event_type": "BAR", "timestamp": time, "payload": payload})
            for combination, name, position in zip(tried, names, positions, strict=True):
                said = {
                    "strategy_id": name,
                    "symbol": series.symbol,
                    "direction": position[bar],
                    "strategy_config": combination.config,
                }
                tracer.on_event({"event_type": "SIGNAL", "timestamp": time, "payload": said})
    return tracer.finalize().traces
