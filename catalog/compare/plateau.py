"""Does a winner stand alone? The median of its neighbours in the parameter grid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.compare.parameter_table import ParameterTable


class Grid:
    """
    The strategies of one type on the same data as points in the grid of their parameters.

    A neighbour has the next smaller or greater value of one numeric parameter, among those that
    were tried, and the same value of every other parameter; 20 and 20.0 are the same. Truth values
    have no order, but beside numbers of the same parameter, where they are 0 and 1.

    Args:
        table: their parameters, and perhaps those of more.
        keys: the strategies that are in the grid, by strategy_key; of one that comes twice, the
            last figure counts.
        figures: what each of them earned, by whatever figure; None where that is not known.
    """

    def __init__(
        self, table: ParameterTable, keys: Sequence[str], figures: Iterable[float | None]
    ) -> None:
        place = table.row_of
        known = [(key, one) for key, one in zip(keys, figures, strict=True) if key in place]
        rows = table.rows.take(pa.array([place[key] for key, _ in known], pa.int64()))
        names = [(p.number, p.text) for p in table.parameters]
        columns = [rows[name] for both in names for name in both if name is not None]
        self._steps = [i for i, column in enumerate(columns) if _is_number(column.type)]
        ranks = [_ranks(column) for column in columns]
        points = np.stack(ranks, axis=1) if ranks else np.zeros((len(known), 0), np.int64)
        self._points = {key: points[row] for row, (key, _) in enumerate(known)}
        self._figures = {
            points[row].tobytes(): figure
            for row, (_, figure) in enumerate(known)
            if figure is not None and not math.isnan(figure)
        }

    def neighbours(self, key: str) -> list[float]:
        """Return the figures of the neighbours of a strategy; of one that is not there, none."""
        point = self._points.get(key)
        if point is None:
            return []
        near = (self._figures.get(one.tobytes()) for one in self._beside(point))
        return [figure for figure in near if figure is not None]

    def plateau(self, key: str) -> float | None:
        """Return the median of the neighbours' figures, or None where there is no neighbour."""
        found = self.neighbours(key)
        return median(found) if found else None

    def _beside(self, point: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        for column in self._steps:
            for step in (-1, 1):
                # 0 is where the parameter is missing.
                if point[column] > 0 and point[column] + step > 0:
                    near = point.copy()
                    near[column] += step
                    yield near


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _ranks(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the place of each value among those that occur, from 1; 0 where there is none."""
    if _is_number(column.type):
        known = column.is_valid().to_numpy()
        ranks = np.zeros(len(column), np.int64)
        ranks[known] = np.unique(column.drop_null().to_numpy(), return_inverse=True)[1] + 1
        return ranks
    codes = column.combine_chunks().dictionary_encode().indices.fill_null(-1)
    return np.asarray(codes, np.int64) + 1
