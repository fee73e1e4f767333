"""Strategies on daily bars, measured, and what they earned each day the plain way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog import Catalog, write_signals


def measure_daily(
    catalog: Catalog,
    run: Path,
    signals: np.ndarray,
    *,
    symbol: str = "SPY",
    first: str = "2023-01-02",
    seed: int = 1,
    fills: tuple[str, ...] = ("close",),
) -> tuple[np.ndarray, np.ndarray]:
    """
    Add prices that walk, write the signals (days, strategies) as `walk_<number>`, measure.

    Returns:
        Gross returns and turnover, (days, strategies), of signals filled at the close.
    """
    days, count = signals.shape
    steps = np.random.default_rng(seed).normal(0, 0.02, days)
    close = 100 * np.cumprod(1 + steps)
    times = np.datetime64(first, "us") + np.arange(days) * np.timedelta64(1, "D")
    bars = pa.table(
        {"ts": pa.array(times, pa.timestamp("us", "UTC")), "open": close, "close": close}
    )
    catalog.add_prices(bars, symbol=symbol, timeframe="1d", tz="UTC")
    write_signals(
        run,
        signals,
        configs=[{"type": "walk", "parameters": {"number": number}} for number in range(count)],
        strategy_ids=[f"walk_{number}" for number in range(count)],
        symbol=symbol,
        timeframe="1d",
        ts=times,
        catalog=catalog.path,
    )
    for fill in fills:
        catalog.metrics(fill=fill)
    position = np.vstack([np.zeros(count), signals[:-1]])
    change = np.append(0, close[1:] / close[:-1] - 1)
    turnover = np.abs(np.diff(position, axis=0, prepend=0))
    return position * change[:, None], turnover


def walks(days: int, count: int, *, seed: int = 1, hold: int = 5) -> np.ndarray:
    """Return positions of -1, 0 and 1 that hold for some days."""
    random = np.random.default_rng(seed)
    drawn = random.integers(-1, 2, (-(-days // hold), count)).astype(float)
    return np.repeat(drawn, hold, axis=0)[:days]
