"""Daily prices of five stocks, out of the package bokeh-sampledata and adjusted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from catalog.errors import CatalogError
from catalog.traces.content import PricesDigest

TIMEFRAME = "1d"

_COLUMN_TYPES = {
    "Ticker": pa.string(),
    "Date": pa.date32(),
    "Open": pa.float64(),
    "High": pa.float64(),
    "Low": pa.float64(),
    "Close": pa.float64(),
    "Volume": pa.float64(),
    "Adj Close": pa.float64(),
}


@dataclass(frozen=True, eq=False)  # whether two arrays are equal is not one truth value
class Prices:
    """
    The daily bars of one symbol, oldest first, adjusted for splits and dividends.

    `ts` (datetime64[us]) is midnight UTC of the session's date: a label, not the moment at
    which the session opened or closed. Prices are in dollars of the last adjustment. `volume`
    is scaled the other way, so that price times volume remains the money that changed hands.
    Every array is float64 but `ts`, and of one length.
    """

    symbol: str
    ts: NDArray[np.datetime64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def table(self) -> pa.Table:
        """Return the bars as a table, as a catalog takes them."""
        names = ("ts", "open", "high", "low", "close", "volume")
        columns = {name: pa.array(getattr(self, name)) for name in names}
        return pa.table(columns | {"ts": columns["ts"].cast(pa.timestamp("us", "UTC"))})

    @property
    def digest(self) -> str:
        """SHA-256 of the bars, in hexadecimal, as a trace of them states it."""
        digest = PricesDigest()
        digest.add(self.ts.astype("datetime64[us]").astype(np.int64), self.close)
        return digest.hexdigest()


def load_prices() -> dict[str, Prices]:
    """
    Return the adjusted daily prices of AAPL, FB, GOOG, IBM and MSFT by symbol.

    They run from 2000-03-01, or the first day of trading, to 2013-03-01 (196 bars of FB, up to
    3,270 of the others). The source, Quandl WIKI Prices, is in the public domain.

    Raises:
        CatalogError: bokeh-sampledata is not installed, or too old to have the file.
    """
    table = csv.read_csv(
        str(_stocks_file()), convert_options=csv.ConvertOptions(column_types=_COLUMN_TYPES)
    )
    symbols = sorted(pc.unique(table["Ticker"]).to_pylist())
    return {symbol: _adjust(symbol, table) for symbol in symbols}


def _stocks_file() -> Path:
    # Found without an import: the package's modules want pandas, which nothing here needs.
    spec = find_spec("bokeh_sampledata")
    if spec is None or not spec.submodule_search_locations:
        raise CatalogError(
            "The demo needs the package bokeh-sampledata, which is not installed",
            hint="pip install 'strategy-trace-catalog[demo]'",
        )
    path = Path(next(iter(spec.submodule_search_locations)), "_data", "stocks.csv.gz")
    if not path.is_file():
        # Up to 2025.0 it shipped other prices, of another source and rounded to cents.
        raise CatalogError(
            f"The installed bokeh-sampledata has no {path.name}",
            hint="pip install 'bokeh-sampledata>=2026.1'",
        )
    return path


def _adjust(symbol: str, table: pa.Table) -> Prices:
    rows = table.filter(pc.equal(table["Ticker"], symbol)).sort_by("Date")
    raw = {name: rows[name].to_numpy() for name in ("Open", "High", "Low", "Close", "Volume")}
    adjusted_close = rows["Adj Close"].to_numpy()
    # As traded, a 2:1 split looks like a loss of one half.
    factor = adjusted_close / raw["Close"]
    return Prices(
        symbol=symbol,
        ts=rows["Date"].cast(pa.timestamp("us")).to_numpy(),
        open=raw["Open"] * factor,
        high=raw["High"] * factor,
        low=raw["Low"] * factor,
        close=adjusted_close,
        volume=raw["Volume"] / factor,
    )
