"""What the statistics in a file's footer say of a column, so that it need not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ColumnStatistics:
    """The statistics of each column over all row groups."""

    def __init__(self, parquet: Any, columns: Sequence[str]) -> None:
        metadata = parquet.metadata
        count = metadata.num_columns
        self._groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        # Where a column is nested, its place among the leaves is another than in the schema.
        self._leaves = (
            columns
            if count == len(columns)
            else [parquet.schema.column(i).path for i in range(count)]
        )

    def extremes(self, name: str, *, raw: bool = False) -> tuple[Any, Any] | None:
        """
        Return the least and the greatest value of a column, or None where they are not stated.

        Args:
            raw: as Parquet stores them, which for a timestamp is a whole number.
        """
        position = self._leaves.index(name)
        stated: list[Any] = []
        for group in self._groups:
            statistics = group.column(position).statistics
            if statistics is None or not statistics.has_min_max:
                return None
            if raw:
                stated += (statistics.min_raw, statistics.max_raw)
            else:
                stated += (statistics.min, statistics.max)
        return (min(stated), max(stated)) if stated else None
