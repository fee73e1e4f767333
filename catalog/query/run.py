"""Run a user's SQL on the catalog, read-only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from catalog.errors import QueryError
from catalog.query.guard import check_reads_only
from catalog.query.result import Result
from catalog.store.database import reading


def run_query(catalog: Path, query: str) -> Result:
    """
    Run one query that reads, and return all of its rows.

    Raises:
        QueryError: it is no single query that reads, or DuckDB refuses it.
        StoreError: the catalog cannot be used.
    """
    check_reads_only(query)
    with reading(catalog) as con:
        con.execute("set search_path = 'main'")
        _check_is_one(con, query)
        return execute(con, query)


def _check_is_one(con: DuckDBPyConnection, query: str) -> None:
    """Let DuckDB count the statements as well: it may understand a text otherwise."""
    try:
        statements = con.extract_statements(query)
    except duckdb.Error as error:
        raise _as_query_error(error) from error
    if len(statements) != 1:
        raise QueryError(
            f"There are {len(statements)} statements", hint="Run one statement at a time"
        )


def execute(
    con: DuckDBPyConnection, query: str, values: Mapping[str, object] | None = None
) -> Result:
    """
    Run a query on an open connection.

    Raises:
        QueryError: DuckDB refuses it.
    """
    try:
        rows = con.sql(query, params=dict(values or {}))
        if rows is None:
            raise QueryError("There is no query", hint='Try: catalog sql "from strategies limit 5"')
        return Result(rows.to_arrow_table(), tuple(str(kind) for kind in rows.types))
    except duckdb.Error as error:
        raise _as_query_error(error) from error


def _as_query_error(error: duckdb.Error) -> QueryError:
    text = str(error).strip()
    hint = None
    if "No files found that match" in text or re.search(r"Cannot open file .*\.parquet", text):
        hint = "Trace files are gone or have moved. Bring the catalog up to date: catalog register"
    elif ".parquet" in text and re.search(r"parquet|magic bytes|schema", text, re.IGNORECASE):
        hint = "A file has changed since it was registered. Run: catalog register FOLDER"
    elif isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        hint = 'See the tables with: catalog sql "show tables", and columns with: describe NAME'
    return QueryError(text, hint=hint)
