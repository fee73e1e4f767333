"""The columns and the footer keys of an open Parquet file; its rows, a bounded piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

WHOLE: Final = 1 << 20
"""Files of at most so many rows come as one piece, so that they need not be in bar order."""

_PIECE: Final = 1 << 16


class Table:
    """
    An open Parquet file.

    Statistics in the footer are left alone on purpose: where they are damaged, asking for them
    ends the process, whereas reading a damaged column raises an error.
    """

    def __init__(self, reader: Any) -> None:
        metadata, schema = reader.metadata, reader.schema_arrow
        self._reader = reader
        self._groups = range(metadata.num_row_groups)
        self.columns: tuple[str, ...] = tuple(schema.names)
        self.types: dict[str, Any] = dict(zip(self.columns, schema.types, strict=True))
        self.footer: dict[bytes, bytes] = metadata.metadata or {}
        self.row_count: int = metadata.num_rows
        self._leaves = self.columns
        # Where a column is nested, its place among the leaves is another than in the schema.
        if metadata.num_columns != len(self.columns):
            leaves = metadata.schema
            self._leaves = tuple(leaves.column(number).path for number in range(len(leaves)))

    @property
    def is_long(self) -> bool:
        """Whether the rows come in more than one piece."""
        return self.row_count > WHOLE

    def flat(self, names: tuple[str, ...]) -> list[str]:
        """Return those of some columns that are there and are not nested."""
        return [name for name in names if name in self._leaves]

    def column(self, name: str) -> Any:
        """Read a flat column whole, as a chunked array."""
        return self._reader.read_column(self._leaves.index(name))

    def whole(self, names: list[str]) -> dict[str, Any]:
        """Read some flat columns whole, as chunked arrays by name."""
        leaves = sorted(self._leaves.index(name) for name in names)
        read = self._reader.read_all(column_indices=leaves, use_threads=False)
        return {name: read.column(name) for name in names}

    def pieces(self, names: list[str]) -> Iterator[dict[str, Any]]:
        """Yield some flat columns as arrays by name, all rows at once unless there are many."""
        # In file order, which is the order of the batches' columns whatever was asked for.
        leaves = sorted(self._leaves.index(name) for name in names)
        ordered = [self._leaves[leaf] for leaf in leaves]
        batches = self._batches(leaves, _PIECE if self.is_long else WHOLE)
        for batch in batches if self.is_long else _in_one(list(batches)):
            if len(batch):
                yield dict(zip(ordered, batch.columns, strict=True))

    def batches(self) -> Iterator[Any]:
        """Yield all columns, nested ones too, as record batches."""
        yield from self._batches(None, _PIECE)

    def _batches(self, leaves: list[int] | None, rows: int) -> Iterator[Any]:
        batches: Iterator[Any] = self._reader.iter_batches(
            rows, row_groups=self._groups, column_indices=leaves, use_threads=False
        )
        return batches


def _in_one(batches: list[Any]) -> list[Any]:
    if len(batches) < 2:
        return batches
    combined: list[Any] = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return combined
