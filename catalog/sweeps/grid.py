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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, product
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.canonical import Config, encode
from catalog.sweeps.conditions import parse_condition

Kind = Literal["signal", "classifier"]
Name = tuple[str, str]  # kind and strategy_id


@dataclass(frozen=True)
class Grid:
    """
    One entry of a sweep. Parameters that are lists are swept, the others are fixed.

    Their values are plain JSON values, as `plain_config` makes them. A combination belongs to
    the grid if it meets all conditions of `where` and none of `exclude`. `extra` is what every
    configuration says beside its type and parameters: constraints, components.
    """

    kind: Kind
    type: str
    name: str
    parameters: tuple[tuple[str, Any], ...]
    where: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def combinations(self) -> int:
        """How many combinations of values there are, whether or not they meet the conditions."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """
        How many configurations it holds, for one symbol.

        Raises:
            ValueError: a condition cannot be computed; the text says why.
        """
        return self.combinations if self.kept is None else int(np.count_nonzero(self.kept))

    @cached_property
    def choices(self) -> tuple[list[Any], ...]:
        """The values of each parameter; a fixed one has one."""
        return tuple(v if isinstance(v, list) else [v] for _, v in self.parameters)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each parameter has."""
        return tuple(map(len, self.choices))

    @cached_property
    def kept(self) -> NDArray[np.bool_] | None:
        """Which combinations meet the conditions, None where all do; the last changes fastest."""
        if not (self.where or self.exclude):
            return None
        kept = np.ones(self.shape, bool)
        for text in self.where:
            kept &= self._meeting(text)
        for text in self.exclude:
            kept &= ~self._meeting(text)
        return kept.reshape(-1)

    def expand(self, symbol: str | None) -> Iterator[SweepStrategy]:
        """Its configurations; the last parameter changes fastest."""
        start = self.name if symbol is None else f"{symbol}_{self.name}"
        printed = [
            [self.printed(value) for value in values]
            for _, values in self.parameters
            if isinstance(values, list)
        ]
        # A fixed parameter has one choice, so both products run in step.
        pairs: Iterable[tuple[Any, Any]]
        pairs = zip(product(*printed), product(*self.choices), strict=True)
        if self.kept is not None:
            pairs = compress(pairs, self.kept.tolist())
        for words, values in pairs:
            yield SweepStrategy(self, "_".join((start, *words)), values)

    def member(self, number: int, symbol: str | None) -> SweepStrategy:
        """Return one combination by its number among all, as `expand` counts them."""
        places = np.unravel_index(number, self.shape) if self.shape else ()
        values = tuple(c[int(p)] for c, p in zip(self.choices, places, strict=True))
        words = [
            self.printed(value)
            for value, (_, values_of) in zip(values, self.parameters, strict=True)
            if isinstance(values_of, list)
        ]
        start = self.name if symbol is None else f"{symbol}_{self.name}"
        return SweepStrategy(self, "_".join((start, *words)), values)

    def printed(self, value: object) -> str:
        """Return a value as it stands in a name."""
        return str(value).replace(".", "") if self.kind == "classifier" else str(value)

    def _meeting(self, text: str) -> NDArray[np.bool_]:
        """Return which combinations meet a condition, in a shape that stretches to the grid's."""
        names = [name for name, _ in self.parameters]
        condition = parse_condition(text, names)
        axes = [names.index(name) for name in condition.names]
        # Only the values of the parameters that it is about: few, where there are many others.
        values = product(*(self.choices[axis] for axis in axes))
        shape = [len(self.choices[axis]) for axis in axes]
        met = np.fromiter(map(condition.holds, values), bool, math.prod(shape)).reshape(shape)
        met = np.transpose(met, np.argsort(axes))
        stretched = [size if axis in axes else 1 for axis, size in enumerate(self.shape)]
        return met.reshape(stretched)


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
        parameters = dict(zip(keys, self.values, strict=True))
        return {"type": self.grid.type, "parameters": parameters, **dict(self.grid.extra)}


@dataclass(frozen=True)
class Sweep:
    """
    Grids of parameters, and the symbols and timeframes that they are tried on.

    Read from a file with `load_sweep`, or made with `Sweep.declare`. `path` is the file's, or its
    URL as text, or the name where there is none; `declared` is then what was declared, as JSON.
    `text` is what the file held. `digest` is the sha256 of the file's bytes, or of that JSON.
    """

    name: str
    path: Path | str
    digest: str
    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    grids: tuple[Grid, ...]
    declared: bytes | None = None
    text: bytes | None = field(default=None, repr=False)

    @classmethod
    def declare(
        cls,
        *,
        strategies: Iterable[Mapping[str, Any]] | Mapping[str, Any] = (),
        classifiers: Iterable[Mapping[str, Any]] | Mapping[str, Any] = (),
        symbols: Iterable[str] | str = (),
        timeframes: Iterable[str] | str = (),
        name: str = "sweep",
    ) -> Sweep:
        """
        Declare a sweep in Python, through the checks that a sweep file goes through.

            Sweep.declare(
                symbols="SPY",
                timeframes="5m",
                strategies={
                    "type": "sma",
                    "params": {"fast": [5, 10, 20], "slow": {"from": 20, "to": 200, "step": 20}},
                    "where": "fast < slow",
                },
            )

        Args:
            strategies: entries with `type`, `params`, and perhaps `name`, `where`, `exclude`,
                `constraints` and `components`, as in a file. A parameter that is a list, a tuple,
                a range or an array is swept.
            classifiers: likewise.

        Raises:
            SweepFileError: an entry cannot be used; it says which and why.
        """
        from catalog.sweeps.declare import declare

        return declare(
            {
                "name": name,
                "symbols": symbols,
                "timeframes": timeframes,
                "strategies": strategies,
                "classifiers": classifiers,
            }
        )

    @property
    def size(self) -> int:
        """How many configurations it holds on each symbol and timeframe."""
        return sum(grid.size for grid in self.grids)

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
