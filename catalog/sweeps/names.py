"""The names that a run gives the strategies of a sweep: as sweeps always did where that is safe."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from catalog.sweeps.grid import Grid, Sweep
from catalog.sweeps.places import Place
from catalog.traces.names import LONGEST

_ODD: Final = re.compile(r"[^A-Za-z0-9.+=^@-]+")
_LONGEST: Final = 120


class StrategyNames:
    """
    The strategy ids of a sweep's configurations in a run, unique in it.

    They are `SYMBOL_<grid>_<value>…`, as everywhere; with the timeframe behind the symbol where
    there are several, and with the hash at the end where two configurations could share a name,
    or where it could not name a file.
    """

    def __init__(self, sweep: Sweep, places: Collection[Place]) -> None:
        self._with_timeframe = len({place.timeframe for place in places}) > 1
        starts = [self._start(place) for place in places]
        is_split = all("_" not in place.symbol and _is_usual(place.symbol) for place in places)
        shared = _starts_that_are_shared(sweep.grids)
        self._plain = {
            number
            for number, grid in enumerate(sweep.grids)
            if is_split
            and _tells_apart(grid)
            and _can_name_files(grid, max(map(len, starts)))
            and f"{grid.name}_" not in shared
        }

    def name(self, place: Place, grid: int, words: str, strategy_hash: str) -> str:
        """
        Return the id of a strategy at a place.

        Args:
            grid: the number of its grid in the sweep.
            words: its name without a symbol.
        """
        name = f"{self._start(place)}_{words}"
        if grid in self._plain:
            return name
        clean = "_".join(_ODD.sub("-", part) for part in name.split("_"))
        return f"{clean[:_LONGEST].lstrip('.')}_{strategy_hash}"

    def _start(self, place: Place) -> str:
        return f"{place.symbol}_{place.timeframe}" if self._with_timeframe else place.symbol


def _is_usual(text: str) -> bool:
    return _ODD.search(text) is None and not text.startswith(".")


def _can_name_files(grid: Grid, start: int) -> bool:
    """Say whether every name of a grid, behind so many characters, can be that of a file."""
    length, parts = start + len(grid.name) + 1, grid.name.split("_")
    for (_, value), choices in zip(grid.parameters, grid.choices, strict=True):
        if isinstance(value, list):
            printed = [grid.printed(choice) for choice in choices]
            length += 1 + max(map(len, printed))
            parts += printed
    return length <= LONGEST and all(_ODD.search(part) is None for part in parts)


def _tells_apart(grid: Grid) -> bool:
    """Say whether the values of a grid can be read off its names."""
    for (_, value), choices in zip(grid.parameters, grid.choices, strict=True):
        if isinstance(value, list):
            printed = [grid.printed(choice) for choice in choices]
            if len(set(printed)) < len(printed) or any("_" in one for one in printed):
                return False
    return True


def _starts_that_are_shared(grids: Sequence[Grid]) -> set[str]:
    """Return the beginnings of names of grids that begin with those of another, or the reverse."""
    starts = Counter(f"{grid.name}_" for grid in grids)
    shared: set[str] = set()
    for own, count in starts.items():
        if count > 1:
            shared.add(own)
        for end, letter in enumerate(own[:-1], 1):
            if letter == "_" and own[:end] in starts:
                shared |= {own, own[:end]}
    return shared
