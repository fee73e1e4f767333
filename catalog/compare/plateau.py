"""Does a winner stand alone? The median of its neighbours in the parameter grid."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from catalog.strategy import leaf_parameters

Point = tuple[tuple[str, object], ...]


class Grid:
    """
    The strategies of one type on the same data as points in the grid of their parameters.

    A neighbour has the next smaller or greater value of one numeric parameter, among those that
    were tried, and the same value of every other parameter.
    """

    def __init__(self, configs: Iterable[str | None], values: Iterable[float | None]) -> None:
        self._values: dict[Point, float] = {}
        self._steps: dict[str, list[float]] = {}
        tried: dict[str, set[float]] = defaultdict(set)
        for config, value in zip(configs, values, strict=True):
            point = point_of(config)
            if point is None:
                continue
            for path, one in point:
                if (number := _number(one)) is not None:
                    tried[path].add(number)
            if value is not None:
                self._values[point] = value
        self._steps = {path: sorted(values) for path, values in tried.items()}

    def neighbours(self, config: str | None) -> list[float]:
        """Return the values of the neighbours of a configuration, given as JSON."""
        point = point_of(config)
        if point is None:
            return []
        found = []
        for place, (path, own) in enumerate(point):
            number, steps = _number(own), self._steps.get(path, [])
            if number is None or number not in steps:
                continue
            at = steps.index(number)
            for step in (at - 1, at + 1):
                if 0 <= step < len(steps):
                    near = (*point[:place], (path, steps[step]), *point[place + 1 :])
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
    leaves: Sequence[tuple[str, object]] = [
        # 20 and 20.0 are the same point: a dictionary takes equal numbers for one.
        (leaf.path, json.dumps(leaf.value) if isinstance(leaf.value, list) else leaf.value)
        for leaf in leaf_parameters(parsed)
    ]
    return tuple(sorted(leaves, key=lambda leaf: leaf[0]))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
