"""What strategies grew to bar by bar, where sessions are too few to make a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import QueryError
from catalog.query.rows import Row
from catalog.query.run import run_query
from catalog.statements import statement

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]


@dataclass(frozen=True, eq=False)
class Course:
    """Equity of 1 at the start, after each bar, and the market's own time of the bars."""

    times: Times
    equity: Floats


@dataclass(frozen=True, eq=False)
class Courses:
    """The course of each trace by its id, and of each price series by symbol and timeframe."""

    strategies: dict[str, Course]
    benchmarks: dict[tuple[str, str], Course]


def read_courses(catalog: Path, trace_ids: Sequence[str]) -> Courses | None:
    """
    Return the equity of some traces without cost, filled at the close of the signal's bar.

    None where bars cannot be told for all of them: a trace has other bars than its prices, a close
    is unknown, or a trace file is gone.

    Raises:
        StoreError: the catalog cannot be used.
    """
    ids = list(trace_ids)
    places = run_query(catalog, statement("plot_places"), {"trace_ids": ids}).table.to_pylist()
    if len(places) < len(ids) or any(place["shift"] is None for place in places):
        return None
    try:
        changes = run_query(catalog, statement("plot_changes"), {"trace_ids": ids}).table
    except QueryError:
        return None
    strategies, benchmarks = {}, {}
    for on in sorted({(place["symbol"], place["timeframe"]) for place in places}):
        own = [place for place in places if (place["symbol"], place["timeframe"]) == on]
        first = min(place["first_bar"] for place in own)
        last = max(place["last_bar"] for place in own)
        times, close = _closes(catalog, on, first, last)
        if len(close) != last - first + 1 or not np.all(close > 0):
            return None
        benchmarks[on] = Course(times, close / close[0])
        for place in own:
            bars = slice(place["first_bar"] - first, place["last_bar"] - first + 1)
            equity = _equity(changes, place, close[bars])
            strategies[place["trace_id"]] = Course(times[bars], equity)
    return Courses(strategies, benchmarks)


def _closes(catalog: Path, on: tuple[str, str], first: int, last: int) -> tuple[Times, Floats]:
    values = {"symbol": on[0], "timeframe": on[1], "first_bar": first, "last_bar": last}
    found = run_query(catalog, statement("plot_closes"), values).table
    times = found["ts"].to_numpy().astype("datetime64[us]")
    return times, found["close"].to_numpy().astype(np.float64)


def _equity(changes: pa.Table, place: Row, close: Floats) -> Floats:
    is_own = np.asarray(changes["trace_id"]) == place["trace_id"]
    bar = changes["bar_index"].to_numpy()[is_own] + place["shift"] - place["first_bar"]
    position = changes["position"].to_numpy()[is_own]
    # A signal of one bar first earns in the next one; before the first there is no position.
    held = np.searchsorted(bar, np.arange(len(close) - 1), "right") - 1
    earning = np.where(held >= 0, position[held], 0.0) if len(bar) else np.zeros(len(held))
    growth = 1 + earning * (close[1:] / close[:-1] - 1)
    return np.concatenate([[1.0], np.cumprod(growth)])
