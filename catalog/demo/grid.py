"""The parameter combinations that the demo tries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from catalog.demo.strategies import STRATEGIES, Floats

GRID: dict[str, dict[str, tuple[int | float, ...]]] = {
    "ma_crossover": {"fast": (5, 10, 20, 30, 50), "slow": (20, 50, 100, 150, 200)},
    # Three deviations are out of reach of ten closes: five strategies that never trade.
    "bollinger_bands": {"period": (10, 20, 30, 50, 100), "std_dev": (1.0, 1.5, 2.0, 2.5, 3.0)},
    "rsi": {"period": (7, 14, 21, 28), "oversold": (20, 25, 30), "overbought": (70, 75, 80)},
    "momentum": {"lookback": (10, 20, 60, 120, 250), "threshold": (0.0, 0.02, 0.05, 0.1)},
}


@dataclass(frozen=True)
class Combination:
    """One strategy type with one value for each of its parameters."""

    strategy_type: str
    parameters: dict[str, int | float]

    @property
    def config(self) -> dict[str, Any]:
        """The configuration that the catalog hashes."""
        return {"type": self.strategy_type, "parameters": self.parameters}

    @property
    def name(self) -> str:
        """The type and the values in the order of the grid, as in `bollinger_bands_20_2.0`."""
        return "_".join([self.strategy_type, *map(str, self.parameters.values())])

    def positions(self, closes: Floats) -> Floats:
        """Return the position of every bar."""
        return STRATEGIES[self.strategy_type](closes, **self.parameters)


def combinations() -> tuple[Combination, ...]:
    """Return every combination of the grid that makes sense."""
    return tuple(
        Combination(strategy_type, dict(zip(grid, values, strict=True)))
        for strategy_type, grid in GRID.items()
        for values in product(*grid.values())
        # Crossing an average with itself or a faster one says nothing new.
        if strategy_type != "ma_crossover" or values[0] < values[1]
    )
