"""
What a sweep declares: grids of parameters. Expanded, they are strategies, and have names.

Old tracers wrote a strategy's name and not its parameters. The name is

    SYMBOL_<name of the grid>_<value>_<value>…

with one value for each parameter that is a list, in the order of the file. Strategies print a
value as Python does, classifiers drop the dots; a parameter that is not a list is in the
configuration and not in the name. So a name is never taken apart: values are negative, have
dots, or are words with underscores. The sweep is expanded instead, and the names compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

from catalog.canonical import Config, encode

Kind = Literal["signal", "classifier"]
Name = tuple[str, str]  # kind and strategy_id


@dataclass(frozen=True)
class Grid:
    """
    One entry of a sweep file. Parameters that are lists are swept, the others are fixed.

    Their values are plain JSON values, as `plain_config` makes them.
    """

    kind: Kind
    type: str
    name: str
    parameters: tuple[tuple[str, Any], ...]

    @property
    def size(self) -> int:
        """How many configurations it holds, for one symbol."""
        return math.prod(len(value) for _, value in self.parameters if isinstance(value, list))

    def expand(self, symbol: str | None) -> Iterator[SweepStrategy]:
        """Its configurations; the last parameter changes fastest."""
        start = self.name if symbol is None else f"{symbol}_{self.name}"
        choices = [value if isinstance(value, list) else [value] for _, value in self.parameters]
        printed = [
            [self._printed(value) for value in values]
            for _, values in self.parameters
            if isinstance(values, list)
        ]
        # A fixed parameter has one choice, so both products run in step.
        for words, values in zip(product(*printed), product(*choices), strict=True):
            yield SweepStrategy(self, "_".join((start, *words)), values)

    def _printed(self, value: object) -> str:
        return str(value).replace(".", "") if self.kind == "classifier" else str(value)


class SweepStrategy(NamedTuple):
    """One configuration of a sweep on one symbol: its name, and a value for each parameter."""

    grid: Grid
    strategy_id: str
    values: tuple[Any, ...]

    @property
    def kind(self) -> Kind:
        """Whether it writes signals or classifications."""
        return self.grid.kind

    @property
    def config(self) -> Config:
        """Its configuration, made anew: most names of a sweep are compared and never used."""
        keys = (key for key, _ in self.grid.parameters)
        return {"type": self.grid.type, "parameters": dict(zip(keys, self.values, strict=True))}


@dataclass(frozen=True)
class Sweep:
    """A sweep file as it was read. `digest` is the sha256 of its bytes."""

    name: str
    path: Path
    digest: str
    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    grids: tuple[Grid, ...]

    def expand(self) -> Iterator[SweepStrategy]:
        """
        Every configuration on every symbol, one at a time, in the order of the file.

        A sweep without symbols has names without one. Timeframes are not part of a name.
        """
        for grid in self.grids:
            for symbol in self.symbols or (None,):
                yield from grid.expand(symbol)

    @cached_property
    def names(self) -> dict[Name, SweepStrategy | list[SweepStrategy]]:
        """See `names`; expanded once."""
        return names(self)

    @cached_property
    def names_of_grids(self) -> tuple[frozenset[Name], ...]:
        """The names of each grid on every symbol, in the order of the file; expanded once."""
        return tuple(
            frozenset(
                (grid.kind, strategy.strategy_id)
                for symbol in self.symbols or (None,)
                for strategy in grid.expand(symbol)
            )
            for grid in self.grids
        )


def names(sweep: Sweep) -> dict[Name, SweepStrategy | list[SweepStrategy]]:
    """
    What each name of a sweep stands for.

    A name that stands for several different configurations has the list of them.
    """
    found: dict[Name, SweepStrategy | list[SweepStrategy]] = {}
    for strategy in sweep.expand():
        name = (strategy.grid.kind, strategy.strategy_id)
        known = found.setdefault(name, strategy)
        if known is not strategy:
            several = different([*as_list(known), strategy])
            found[name] = several if len(several) > 1 else several[0]
    return found


def as_list(known: SweepStrategy | list[SweepStrategy]) -> list[SweepStrategy]:
    """What a name stands for, one or several."""
    return known if isinstance(known, list) else [known]


def different(strategies: list[SweepStrategy]) -> list[SweepStrategy]:
    """Those of them whose configurations differ as text: 1, 1.0 and True do."""
    if len(strategies) < 2:
        return strategies
    return list({encode(strategy.config): strategy for strategy in strategies}.values())
