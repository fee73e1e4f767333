"""Why a figure is not there: a sentence or two per strategy, and never a NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOO_FEW_SESSIONS = "too few sessions to annualise (fewer than 20)"
NO_PRICE = "a bar without a price while in the market"
RUIN = "ruin: a bar lost all equity"
OTHER_PRICES = "the prices are not those that it was made on"
NO_OPEN = "a bar without an open, where an order is filled at it"
NO_DEVIATION = "zero volatility: all sessions return the same"
FLAT = "all flat: no position in the range"
NEVER_CLOSED = "its only trade is never closed"


class Notes:
    """Notes on some strategies, collected as they are found."""

    def __init__(self, strategies: int) -> None:
        self._found: list[tuple[NDArray[np.bool_], str]] = []
        self._count = strategies

    def add(self, strategies: NDArray[np.bool_], text: str) -> None:
        """Note something on those strategies for which it is true."""
        if strategies.any():
            self._found.append((strategies, text))

    def texts(self) -> list[str | None]:
        """Return a text per strategy, or None where there is nothing to say."""
        parts: list[list[str]] = [[] for _ in range(self._count)]
        for strategies, text in self._found:
            for row in np.flatnonzero(strategies).tolist():
                parts[row].append(text)
        return ["; ".join(each) or None for each in parts]
