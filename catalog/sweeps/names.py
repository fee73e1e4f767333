"""The names that a run gives the strategies of a sweep: as sweeps always did where that is safe."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from catalog.errors import UsageError
from catalog.sweeps.grid import Grid, Sweep
from catalog.sweeps.places import Place
from catalog.traces.names import check_name

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
        symbols = [place.symbol for place in places]
        is_split = not any("_" in symbol for symbol in symbols)
        self._plain = {
            number
            for number, grid in enumerate(sweep.grids)
            if is_split and _tells_apart(grid) and not _is_begun_by_another(number, sweep.grids)
        }

    def name(self, place: Place, grid: int, words: str, strategy_hash: str) -> str:
        """
        Return the id of a strategy at a place.

        Args:
            grid: the number of its grid in the sweep.
            words: its name without a symbol.
        """
        start = f"{place.symbol}_{place.timeframe}" if self._with_timeframe else place.symbol
        name = f"{start}_{words}"
        if grid in self._plain and _can_name_a_file(name):
            return name
        clean = "_".join(_ODD.sub("-", part) for part in name.split("_"))
        return f"{clean[:_LONGEST].lstrip('.')}_{strategy_hash}"


def _tells_apart(grid: Grid) -> bool:
    """Say whether the values of a grid can be read off its names."""
    for (_, value), choices in zip(grid.parameters, grid.choices, strict=True):
        if isinstance(value, list):
            printed = [grid.printed(choice) for choice in choices]
            if len(set(printed)) < len(printed) or any("_" in one for one in printed):
                return False
    return True


def _is_begun_by_another(number: int, grids: Sequence[Grid]) -> bool:
    own = f"{grids[number].name}_"
    others = (f"{grid.name}_" for place, grid in enumerate(grids) if place != number)
    return any(own.startswith(other) or other.startswith(own) for other in others)


def _can_name_a_file(name: str) -> bool:
    try:
        check_name("strategy id", name)
    except UsageError:
        return False
    return True
