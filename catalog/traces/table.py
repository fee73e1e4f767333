"""The columns of an open Parquet file, read as little as an answer takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

WHOLE: Final = 1 << 20
"""Files of at most so many rows come as one piece, so that they need not be in bar order."""

_PIECE: Final = 1 << 16


class Table:
    """An open Parquet file: its columns and footer keys at once, its rows when asked."""

    def __init__(self, reader: Any) -> None:
        metadata, schema = reader.metadata, reader.schema_arrow
        self._reader = reader
        self.columns: tuple[str, ...] = tuple(schema.names)
        self.types: dict[str, Any] = dict(zip(self.columns, schema.types, strict=True))
        self.footer: dict[bytes, bytes] = metadata.metadata or {}
        self.row_count: int = metadata.num_rows
        self._groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        self._leaves = self.columns
        # Where a column is nested, its place among the leaves is another than in the schema.
        if metadata.num_columns != len(self.columns):
            schema = metadata.schema
            self._leaves = tuple(schema.column(leaf).path for leaf in range(len(schema)))

    @property
    def is_long(self) -> bool:
        """Whether the rows come in more than one piece."""
        return self.row_count > WHOLE

    def pieces(self, *names: str) -> Iterator[list[Any]]:
        """Yield some flat columns as lists of arrays, a piece at a time: one unless it is long."""
        leaves = [self._leaves.index(name) for name in names]
        if self.is_long:
            for batch in self._batches(leaves):
                yield [batch.column(name) for name in names]
            return
        columns = [_in_one_chunk(self._reader.read_column(leaf)) for leaf in leaves]
        if len(columns[0]):
            yield columns

    def extremes(self, name: str, *, raw: bool = False) -> tuple[Any, Any] | None:
        """
        Return the least and the greatest value of a flat column, or None if nothing states them.

        Args:
            raw: as Parquet stores them, which for a timestamp is a whole number.
        """
        leaf = self._leaves.index(name)
        stated: list[Any] = []
        for group in self._groups:
            statistics = group.column(leaf).statistics
            if statistics is None or not statistics.has_min_max:
                return None
            if raw:
                stated += (statistics.min_raw, statistics.max_raw)
            else:
                stated += (statistics.min, statistics.max)
        return (min(stated), max(stated)) if stated else None

    def texts(self, name: str) -> list[str]:
        """Return the different texts in a flat column; of more than one, the first few."""
        stated = self.extremes(name)
        if stated is not None and stated[0] == stated[1]:
            return [stated[0]]
        found: dict[str, None] = {}
        for batch in self._batches([self._leaves.index(name)]):
            found.update(dict.fromkeys(batch.column(0).unique().drop_null().to_pylist()))
            if len(found) > 1:
                break
        return list(found)

    def _batches(self, leaves: list[int]) -> Iterator[Any]:
        batches: Iterator[Any] = self._reader.iter_batches(
            _PIECE, row_groups=range(len(self._groups)), column_indices=leaves, use_threads=False
        )
        return batches


def _in_one_chunk(column: Any) -> Any:
    chunk = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    # Arrays of unlike dictionaries do not combine into one.
    return chunk if isinstance(chunk, pa.Array) else column.cast(pa.string()).combine_chunks()
