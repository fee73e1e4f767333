"""The price series that a catalog knows, as arrays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.errors import StoreError
from catalog.prices.files import full_path, read_bars
from catalog.statements import statement

_COLUMNS = ["ts", "known_at", "session_date", "open", "close"]


@dataclass(frozen=True, eq=False)
class PriceSeries:
    """
    The bars of a symbol and timeframe, one array each, in order of `bar_index`.

    `ts` is a bar's label and `known_at` its end, in microseconds since 1970 in UTC. `open` and
    `close` are NaN where unknown. `session` numbers each bar's session from 0 and never goes
    back; `session_dates` has the date of each session. `prepended_bars` is 0 as long as bar
    numbers mean what they meant when the series was first added, or last renumbered.
    """

    symbol: str
    timeframe: str
    digest: str
    prepended_bars: int
    sessions_per_year: float
    bars_per_year: float
    ts: NDArray[np.int64]
    known_at: NDArray[np.int64]
    open: NDArray[np.float64]
    close: NDArray[np.float64]
    session: NDArray[np.int64]
    session_dates: NDArray[np.datetime64]


def load_series(
    con: DuckDBPyConnection, catalog: Path, wanted: Collection[tuple[str, str]] | None = None
) -> dict[tuple[str, str], PriceSeries]:
    """
    Return the price series of a catalog by symbol and timeframe.

    Args:
        wanted: only these; what the catalog does not know is left out.

    Raises:
        StoreError: the file of one is gone or damaged.
    """
    rows = con.execute(statement("select_price_series")).fetchall()
    return {
        (symbol, timeframe): _load(full_path(catalog, price_path), symbol, timeframe, *known)
        for symbol, timeframe, price_path, *known in rows
        if wanted is None or (symbol, timeframe) in wanted
    }


def _load(
    path: Path,
    symbol: str,
    timeframe: str,
    digest: str,
    prepended_bars: int,
    sessions_per_year: float,
    bars_per_year: float,
    bar_count: int,
) -> PriceSeries:
    table = read_bars(path, _COLUMNS)
    if table.num_rows != bar_count:
        raise StoreError(
            f"{path} has {table.num_rows:,} bars, and {bar_count:,} were added",
            hint="Add the prices again with: catalog prices add FILE",
        )
    dates = table.column("session_date").to_numpy()
    begins = np.concatenate([[True], dates[1:] != dates[:-1]])
    return PriceSeries(
        symbol,
        timeframe,
        digest,
        prepended_bars,
        sessions_per_year,
        bars_per_year,
        ts=_micros(table.column("ts")),
        known_at=_micros(table.column("known_at")),
        open=_floats(table.column("open")),
        close=_floats(table.column("close")),
        session=np.cumsum(begins) - 1,
        session_dates=dates[begins],
    )


def _micros(column: Any) -> NDArray[np.int64]:
    return np.array(column.to_numpy().astype("datetime64[us]"), dtype=np.int64)


def _floats(column: Any) -> NDArray[np.float64]:
    return np.array(column.to_numpy(), dtype=np.float64)
