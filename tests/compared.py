"""Traces to compare: signals and classifiers of few bars, each in a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog import Catalog
from catalog.traces.signals import write_signals
from catalog.traces.write import write_trace

SMA = {"type": "sma", "parameters": {"fast": 5, "slow": 20}}
OPEN = np.datetime64("2024-03-26T13:30", "us")
MINUTE = np.timedelta64(1, "m")


def write_one(
    run: Path,
    values: Sequence[float],
    *,
    config: Mapping[str, Any] = SMA,
    strategy_id: str = "sma_5",
    symbol: str = "SPY",
    first: int = 0,
    timed: bool = True,
    data: str | None = "d",
    code: str | None = "c",
) -> Path:
    """Write a signal trace of a value a bar, from bar `first` of the market on."""
    bars = np.arange(len(values)) + first
    (path,) = write_signals(
        run,
        np.array(values, float).reshape(-1, 1),
        configs=[config],
        strategy_ids=[strategy_id],
        symbol=symbol,
        timeframe="1m",
        ts=OPEN + bars * MINUTE if timed else None,
        bar_index=bars,
        data_digest=data,
        code_digest=code,
    )
    return path


def write_states(run: Path, states: Sequence[str], *, config: Mapping[str, Any]) -> Path:
    """Write a classifier trace of a state a bar."""
    bars = np.arange(len(states))
    return write_trace(
        run, config=config, strategy_id="_".join(map(str, config["parameters"].values())),
        symbol="SPY", timeframe="1m", bar_index=bars, ts=OPEN + bars * MINUTE, values=list(states),
        prices=None, first_bar=0, last_bar=len(states) - 1, kind="classifier",
    )  # fmt: skip


def trace_ids(catalog: Catalog) -> dict[str, str]:
    """Return the trace of each run, by the run's id."""
    return dict(catalog.sql("select run_id, trace_id from trace_files").fetchall())
