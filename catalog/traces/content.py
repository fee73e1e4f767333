"""What a trace says, whichever generation's file says it: digests of its changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import chain
from struct import iter_unpack

import numpy as np
from numpy.typing import NDArray


class RowsDigest:
    """
    A digest over the kind and, in bar order, the changes of one trace.

    A change is its 0-based bar_index (int64, little endian) followed by its value: a float64
    (little endian, -0.0 as 0.0), or the length (uint64, little endian) and bytes of its UTF-8
    text. Rows may come in any number of pieces.
    """

    def __init__(self, kind: str) -> None:
        self._digest = hashlib.sha256(kind.encode() + b"\0")

    def add_numbers(self, bars: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        rows = np.empty((len(bars), 2), "<i8")
        rows[:, 0] = bars
        # Adding zero turns -0.0 into 0.0 and leaves every other value as it is.
        rows[:, 1] = (values + 0.0).astype("<f8", copy=False).view("<i8")
        self._digest.update(rows.data)

    def add_states(
        self, bars: NDArray[np.int64], codes: Iterable[int], states: Iterable[str]
    ) -> None:
        """Add rows whose value is the state with that number."""
        framed = []
        for state in states:
            text = state.encode()
            framed.append(len(text).to_bytes(8, "little") + text)
        raw_bars = chain.from_iterable(iter_unpack("8s", bars.astype("<i8").tobytes()))
        raw_values = map(framed.__getitem__, codes)
        self._digest.update(b"".join(chain.from_iterable(zip(raw_bars, raw_values, strict=True))))

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def content_digest(symbol: str | None, timeframe: str | None, kind: str, rows_digest: str) -> str:
    """
    Return the digest (64 hex digits) that equal traces share.

    Symbol and timeframe are the normalised ones: `SPY` and `5m`, not `SPY_5m`.
    """
    return hashlib.sha256(json.dumps([symbol, timeframe, kind, rows_digest]).encode()).hexdigest()
