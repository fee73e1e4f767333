"""The least and the greatest value of a column, from the footer's statistics where it has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def leaf_columns(parquet: Any, columns: Sequence[str]) -> Sequence[str]:
    """Return the path of each leaf column; without nested columns these are the columns."""
    count = parquet.metadata.num_columns
    if count == len(columns):
        return columns
    return [parquet.schema.column(position).path for position in range(count)]


def extremes(groups: Sequence[Any], position: int) -> tuple[Any, Any] | None:
    """
    Return the least and the greatest value of a leaf column over some row groups.

    None where the statistics do not say, or there are no rows.
    """
    least = greatest = None
    for group in groups:
        statistics = group.column(position).statistics
        if statistics is None or not statistics.has_min_max:
            return None
        low, high = statistics.min, statistics.max
        least = low if least is None or low < least else least
        greatest = high if greatest is None or high > greatest else greatest
    return None if least is None else (least, greatest)
