"""The rows that a query returned, in the form that the next step wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Result:
    """
    The rows of one query, in memory.

    It holds no connection: other processes can use the catalog while it lives.
    """

    table: pa.Table
    types: tuple[str, ...] = ()
    """What DuckDB calls the type of each column; Arrow does not tell JSON from text."""

    def arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.table

    def df(self) -> Any:
        """Return the rows as a pandas DataFrame."""
        return self.table.to_pandas()

    def pl(self) -> Any:
        """Return the rows as a polars DataFrame."""
        import polars

        return polars.from_arrow(self.table)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows as tuples of Python values."""
        columns = [column.to_pylist() for column in self.table.columns]
        return list(zip(*columns, strict=True)) if columns else []

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.table.column_names)

    def __len__(self) -> int:
        return int(self.table.num_rows)
