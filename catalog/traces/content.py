"""What a trace says, whichever generation's file says it: digests of its changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBER_ROW = Struct("<qd")
_BAR = Struct("<q")
_LENGTH = Struct("<Q")


class RowsDigest:
    """
    A digest over the kind and, in bar order, the changes of one trace.

    A change is its 0-based bar_index (int64, little endian) followed by its value: a float64
    (little endian, -0.0 as 0.0), or the length (uint64, little endian) and bytes of its UTF-8
    text. Rows may come in any number of pieces.
    """

    def __init__(self, kind: str) -> None:
        self._digest = hashlib.sha256(kind.encode() + b"\0")

    def add_numbers(self, bars: Sequence[int], values: Sequence[float]) -> None:
        # Adding zero turns -0.0 into 0.0 and leaves every other value as it is.
        rows = [_NUMBER_ROW.pack(bar, val + 0.0) for bar, val in zip(bars, values, strict=True)]
        self._digest.update(b"".join(rows))

    def add_arrays(self, bars: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add what `add_numbers` adds, faster where there are many rows."""
        rows = np.empty((len(bars), 2), "<i8")
        rows[:, 0] = bars
        rows[:, 1] = (values + 0.0).astype("<f8", copy=False).view("<i8")
        self._digest.update(rows.data)

    def add_states(self, bars: Sequence[int], states: Sequence[str]) -> None:
        framed: dict[str, bytes] = {}
        for state in set(states):
            text = state.encode()
            framed[state] = _LENGTH.pack(len(text)) + text
        rows = [_BAR.pack(bar) + framed[state] for bar, state in zip(bars, states, strict=True)]
        self._digest.update(b"".join(rows))

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def content_digest(symbol: str | None, timeframe: str | None, kind: str, rows_digest: str) -> str:
    """
    Return the digest (64 hex digits) that equal traces share.

    Symbol and timeframe are the normalised ones: `SPY` and `5m`, not `SPY_5m`.
    """
    return hashlib.sha256(json.dumps([symbol, timeframe, kind, rows_digest]).encode()).hexdigest()


class PricesDigest:
    """
    A digest over the bars of a price series that a strategy saw, in any number of pieces.

    A bar is its time (int64 microseconds since 1970 in UTC, little endian) followed by its price
    (float64, little endian): of the same bars everybody makes the same digest.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, instants: NDArray[np.int64], prices: NDArray[np.float64]) -> None:
        rows = np.empty((len(instants), 2), "<i8")
        rows[:, 0] = instants
        rows[:, 1] = np.asarray(prices, "<f8").view("<i8")
        self._digest.update(rows.data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def prices_digest(times: Any, prices: Any) -> str:
    """
    Return the digest of a price series, 64 hex digits.

    Args:
        times: an Arrow array of timestamps in microseconds and UTC.
        prices: an Arrow array of float64, as long; null where there is no price.
    """
    digest = PricesDigest()
    instants = times.cast("int64").to_numpy()
    digest.add(instants, prices.fill_null(np.nan).to_numpy())
    return digest.hexdigest()
