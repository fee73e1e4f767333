"""Text columns that hold one value throughout, learnt from the footer's statistics if they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def texts_in(parquet: Any, columns: Sequence[str], names: Sequence[str]) -> list[list[str]]:
    """Return the different texts in each of some columns; of more than one, the first few."""
    metadata = parquet.metadata
    # After a nested column, the position among the leaves is another.
    if metadata.num_columns != len(columns):
        columns = [parquet.schema.column(i).path for i in range(metadata.num_columns)]
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    found = []
    for name in names:
        position = columns.index(name)
        texts: dict[str, None] = {}
        for group in groups:
            statistics = group.column(position).statistics
            if statistics is None or not statistics.has_min_max:
                break
            lowest = statistics.min
            if lowest != statistics.max:
                break
            texts[lowest] = None
        else:
            found.append(list(texts))
            continue
        found.append(_read_texts(parquet, name))
    return found


def _read_texts(parquet: Any, name: str) -> list[str]:
    found: dict[str, None] = {}
    for batch in parquet.iter_batches(columns=[name], use_threads=False):
        found.update(dict.fromkeys(batch.column(0).unique().drop_null().to_pylist()))
        if len(found) > 1:
            break
    return list(found)
