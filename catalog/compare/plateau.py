"""Does a winner stand alone? The median of its neighbours in the parameter grid."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from catalog.strategy import leaf_parameters

Point = tuple[tuple[str, ...], tuple[object, ...]]
"""The paths of a configuration's parameters, in an order of their own, and their values."""


class Grid:
    """
    The strategies of one type on the same data as points in the grid of their parameters.

    A neighbour has the next smaller or greater value of one numeric parameter, among those that
    were tried, and the same value of every other parameter.
    """

    def __init__(
        self, configs: Iterable[str | None] = (), values: Iterable[float | None] = ()
    ) -> None:
        self._values: dict[Point, float] = {}
        self._tried: dict[str, set[float]] = defaultdict(set)
        # Most have the same parameters: their paths are kept once.
        self._paths: dict[tuple[str, ...], tuple[str, ...]] = {}
        for config, value in zip(configs, values, strict=True):
            self.add(config, value)

    def add(self, config: str | None, value: float | None) -> None:
        """Add a configuration, given as JSON, with its value."""
        point = point_of(config)
        if point is None:
            return
        paths, own = self._paths.setdefault(point[0], point[0]), point[1]
        for path, one in zip(paths, own, strict=True):
            if (number := _number(one)) is not None:
                self._tried[path].add(number)
        if value is not None:
            self._values[paths, own] = value

    def neighbours(self, config: str | None) -> list[float]:
        """Return the values of the neighbours of a configuration, given as JSON."""
        point = point_of(config)
        if point is None:
            return []
        found = []
        paths, values = point
        for place, (path, own) in enumerate(zip(paths, values, strict=True)):
            number, steps = _number(own), sorted(self._tried.get(path, ()))
            if number is None or number not in steps:
                continue
            at = steps.index(number)
            for step in (at - 1, at + 1):
                if 0 <= step < len(steps):
                    near = paths, (*values[:place], steps[step], *values[place + 1 :])
                    if near in self._values:
                        found.append(self._values[near])
        return found

    def plateau(self, config: str | None) -> float | None:
        """Return the median of the neighbours' values, or None where there is no neighbour."""
        found = self.neighbours(config)
        return median(found) if found else None


def point_of(config: str | None) -> Point | None:
    """Return the parameters of a configuration in JSON, in an order of their own."""
    if config is None:
        return None
    parsed = json.loads(config)
    if not isinstance(parsed, Mapping):
        return None
    leaves = {leaf.path: leaf.value for leaf in leaf_parameters(parsed)}
    paths = tuple(sorted(leaves))
    # 20 and 20.0 are the same point: a dictionary takes equal numbers for one.
    values = (leaves[path] for path in paths)
    return paths, tuple(json.dumps(one) if isinstance(one, list) else one for one in values)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
