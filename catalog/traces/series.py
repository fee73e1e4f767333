"""The price series of a backtest as its events show it: which bar it is now, what was seen."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from catalog.traces.content import PricesDigest
from catalog.traces.sink import Range

_PIECE = 1 << 12


class Series:
    """
    The bars of one symbol so far.

    `bar` is the 0-based index of the bar that it is now, -1 before the first; `ts` (microseconds
    since 1970 in UTC) and `price` are that bar's. Plain attributes, since they are looked at for
    every change of every strategy.
    """

    __slots__ = (
        "_digest", "_prices", "_times", "bar", "first_bar", "first_ts", "price", "symbol",
        "timeframe", "ts",
    )  # fmt: skip

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.timeframe: str | None = None
        self.bar = -1
        self.ts: int | None = None
        self.price = float("nan")
        self.first_bar: int | None = None
        self.first_ts: int | None = None
        self._digest = PricesDigest()
        self._times, self._prices = array("q"), array("d")

    def advance(self, bar: int, ts: int, price: float) -> None:
        """Go on to the next bar."""
        if self.first_bar is None:
            self.first_bar, self.first_ts = bar, ts
        self.bar, self.ts, self.price = bar, ts, price
        self._times.append(ts)
        self._prices.append(price)
        if len(self._times) >= _PIECE:
            self._digest_piece()

    def range(self) -> Range:
        """Return the range from the first bar to the one that it is now."""
        if self.first_bar is None:
            return Range()
        self._digest_piece()
        return Range(
            self.first_bar, self.bar, self.first_ts, self.ts, data_digest=self._digest.hexdigest()
        )

    def _digest_piece(self) -> None:
        times: Any = np.frombuffer(self._times, np.int64)
        self._digest.add(times, np.frombuffer(self._prices, np.float64))
        self._times, self._prices = array("q"), array("d")
