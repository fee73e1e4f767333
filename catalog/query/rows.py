"""Rows of a statement of ours by column name, without what loading Arrow takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duckdb import DuckDBPyConnection

from catalog.statements import statement

Row = dict[str, Any]


def read_rows(
    con: DuckDBPyConnection, name: str, values: Mapping[str, object] | None = None
) -> list[Row]:
    """Return the rows of `sql/<name>.sql`."""
    cursor = con.execute(statement(name), values)
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
