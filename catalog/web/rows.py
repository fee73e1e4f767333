"""The rows of a statement in sql/, each by the names of its columns."""

from __future__ import annotations

from typing import Any

from catalog.catalog import Catalog
from catalog.query.result import Result
from catalog.statements import statement

Row = dict[str, Any]


def asked(catalog: Catalog, name: str, **values: object) -> list[Row]:
    """
    Return the rows of a statement; `values` are its parameters.

    Raises:
        QueryError: it cannot be run, as where a trace file is gone.
        StoreError: the catalog cannot be used.
    """
    return rows_of(catalog.sql(statement(name), values))


def rows_of(result: Result) -> list[Row]:
    """Return rows, each by the names of its columns."""
    return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]
