"""The rows of a statement in sql/, each by the names of its columns."""

from __future__ import annotations

from pathlib import Path

from catalog.query.result import Result
from catalog.query.rows import Row
from catalog.query.run import run_query
from catalog.statements import statement


def ask(catalog: Path, name: str, /, **values: object) -> list[Row]:
    """
    Return the rows of `sql/<name>.sql`; `values` are its parameters.

    Raises:
        QueryError: it cannot be run, as where a trace file is gone.
        StoreError: the catalog cannot be used.
    """
    return rows_of(run_query(catalog, statement(name), values))


def rows_of(result: Result) -> list[Row]:
    """Return rows, each by the names of its columns."""
    rows: list[Row] = result.table.to_pylist()
    return rows
