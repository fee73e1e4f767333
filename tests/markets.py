"""Made-up markets and strategies for them."""

from __future__ import annotations

import shutil
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from catalog import Catalog, write_signals
from catalog.prices.series import PriceSeries

NEW_YORK = ZoneInfo("America/New_York")


def copied(made: Catalog, folder: Path) -> Catalog:
    """Return a copy of a catalog and all that lies beside it, which is quicker than another one."""
    shutil.copytree(made.path.parent, folder / "home")
    return Catalog(folder / "home" / made.path.name)


def price_series(bars: int, *, per_session: int = 50, seed: int = 0, tick: int = 1) -> PriceSeries:
    """A price series in memory; prices come back to the same tick often."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 2e-3, bars))), tick)
    opening = np.round(close * np.exp(random.normal(0, 1e-3, bars)), 2)
    session = np.arange(bars) // per_session
    ts = np.arange(bars) * 60_000_000
    return PriceSeries(
        "SPY", "1m", "digest", 0, 252.0, 252.0 * per_session, ts, ts + 60_000_000, opening, close,
        session, np.arange(session[-1] + 1).astype("datetime64[D]"),
    )  # fmt: skip


def price_table(
    sessions: int = 30,
    *,
    per_session: int = 20,
    seed: int = 0,
    drift: float = 0.0,
    first: date = date(2024, 1, 2),
) -> pa.Table:
    """Bars of one minute from 9:30 in New York, on weekdays."""
    random = np.random.default_rng(seed)
    days = []
    day = first
    while len(days) < sessions:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    ts = [
        datetime.combine(day, time(9, 30), NEW_YORK) + timedelta(minutes=minute)
        for day in days
        for minute in range(per_session)
    ]
    close = 100 * np.exp(np.cumsum(random.normal(drift, 1e-3, len(ts))))
    opening = np.append(100.0, close[:-1]) * np.exp(random.normal(0, 3e-4, len(ts)))
    return pa.table(
        {
            "timestamp": pa.array(ts, pa.timestamp("us", "UTC")),
            "open": opening,
            "high": np.maximum(opening, close) * 1.0005,
            "low": np.minimum(opening, close) * 0.9995,
            "close": close,
            "volume": np.full(len(ts), 1000),
        }
    )


def random_signals(bars: int, strategies: int, *, changes: int, seed: int = 0) -> np.ndarray:
    """Positions of -1, 0 and 1, (bars, strategies), that change at random bars."""
    random = np.random.default_rng(seed)
    made = np.zeros((bars, strategies))
    for one in range(strategies):
        at = np.sort(random.choice(bars, changes, replace=False))
        values = np.append(0.0, random.choice([-1.0, 0.0, 1.0], changes))
        made[:, one] = values[np.searchsorted(at, np.arange(bars), "right")]
    return made


def grid_configs(count: int, *, strategy_type: str = "sma") -> dict[str, dict]:
    """Configurations over a grid of two parameters."""
    return {
        f"SPY_{strategy_type}_{n % 10}_{n // 10}": {
            "type": strategy_type,
            "parameters": {"fast": 5 + n % 10, "slow": 50 + 10 * (n // 10)},
        }
        for n in range(count)
    }


def add_prices(catalog: Catalog, table: pa.Table, *, symbol: str = "SPY", timeframe: str = "1m"):
    """Let a catalog know prices of New York."""
    return catalog.add_prices(table, symbol=symbol, timeframe=timeframe, tz="America/New_York")


def write_strategies(
    catalog: Catalog,
    signals: np.ndarray,
    table: pa.Table | None,
    *,
    run: str = "sweep",
    configs: dict[str, dict] | None = None,
    symbol: str = "SPY",
    timeframe: str = "1m",
    first: int = 0,
    prefix: str = "",
):
    """Write a run of strategies beside the catalog; they know bar times where a table is given."""
    count = signals.shape[1]
    configs = configs or grid_configs(count)
    configs = {f"{prefix}{name}": config for name, config in configs.items()}
    times = None
    if table is not None:
        times = table["timestamp"].to_numpy()[first : first + len(signals)]
    return write_signals(
        catalog.path.parent / "runs" / run,
        signals,
        configs=configs,
        symbol=symbol,
        timeframe=timeframe,
        ts=times,
        catalog=catalog.path,
    )
