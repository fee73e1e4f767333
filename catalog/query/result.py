"""The rows that a query returned, in the form that the next step wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import pyarrow as pa

from catalog.errors import UsageError

_SHOWN_ROWS = 20
_SHOWN_COLUMNS = 30


@contextmanager
def _installed(library: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"That needs {library}, which is not installed", hint=f"pip install {library}"
        ) from error


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
        """
        Return the rows as a pandas DataFrame.

        Raises:
            UsageError: pandas is not installed.
        """
        with _installed("pandas"):
            return self.table.to_pandas()

    def pl(self) -> Any:
        """
        Return the rows as a polars DataFrame.

        Raises:
            UsageError: polars is not installed.
        """
        with _installed("polars"):
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

    def _repr_html_(self) -> str:
        """Return the first rows as a table for a notebook."""
        names = self.columns[:_SHOWN_COLUMNS]
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        rows = Result(self.table.slice(0, _SHOWN_ROWS)).fetchall()
        cells = ("".join(f"<td>{_cell(value)}</td>" for value in row[: len(names)]) for row in rows)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        left_out = len(self.columns) - len(names)
        note = f"{len(self):,} rows" + (f", {left_out} more columns" if left_out else "")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{note}</p>"


@dataclass(frozen=True)
class Stream:
    """
    The rows of one query as they come, for as long as the `with` block lasts.

    Iterating yields Arrow record batches, once.
    """

    schema: pa.Schema
    types: tuple[str, ...]
    _batches: Iterator[pa.RecordBatch]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self._batches

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows as tuples of Python values."""
        for batch in self._batches:
            columns = [column.to_pylist() for column in batch.columns]
            yield from zip(*columns, strict=True)


def _cell(value: object) -> str:
    return "" if value is None else escape(str(value))
