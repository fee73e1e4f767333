"""Only queries that read pass: one statement, made of nothing but reading."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from catalog.errors import QueryError

_READING = (exp.Query, exp.Describe, exp.Summarize, exp.Show, exp.Values, exp.Pivot)
_WRITING = (
    exp.DML, exp.DDL, exp.Copy, exp.Command, exp.Set, exp.Attach, exp.Detach, exp.Pragma,
    exp.Use, exp.Drop, exp.Alter, exp.Export, exp.Install, exp.Transaction, exp.Commit,
    exp.Rollback, exp.Merge, exp.Kill, exp.Cache, exp.Comment, exp.Analyze,
)  # fmt: skip
_EXPLAIN = re.compile(r"\s*explain(\s+analyze)?\s+(?=\S)", re.IGNORECASE)
_SHOW_OBJECT = re.compile(r"\s*(?:show|describe)\s+[\w\".]+\s*;?\s*", re.IGNORECASE)


def check_reads_only(query: str) -> None:
    """
    Refuse what is not exactly one statement that only reads.

    What cannot be understood is refused too. DuckDB's read-only mode is not enough: it
    lets `copy … to` write files, even from inside a `with`.

    Raises:
        QueryError: with the reason.
    """
    if _SHOW_OBJECT.fullmatch(query):
        return
    if "{#" in query:
        # A comment to sqlglot, but to DuckDB the beginning of a struct: what it hides would run.
        raise QueryError(
            "This query holds {#, which is not understood", hint="Put a space between the two"
        )
    body = query
    if found := _EXPLAIN.match(query):
        body = query[found.end() :]
    try:
        with _quiet():
            statements = [one for one in parse(body, dialect="duckdb") if one is not None]
    except (SqlglotError, RecursionError) as error:
        reason = re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0]
        raise QueryError(
            f"This is not understood as a query: {reason}",
            hint="Check the SQL; only reading statements run here",
        ) from error
    if not statements:
        raise QueryError("There is no query", hint='Try: catalog sql "from strategies limit 5"')
    if len(statements) > 1:
        raise QueryError(
            f"There are {len(statements)} statements", hint="Run one statement at a time"
        )
    statement = statements[0]
    refused = None if isinstance(statement, _READING) else statement
    for node in statement.walk():
        # `with x as (insert …)` is a select to a parser: its parts are what counts.
        if isinstance(node, _WRITING):
            refused = node
    if refused is not None:
        outermost = refused is statement or isinstance(refused, exp.Command)
        word = query.split(None, 1)[0].upper() if outermost else refused.key.upper()
        raise QueryError(
            f"Only queries that read run here, and this holds {word}",
            hint="To change or copy the catalog, open it in DuckDB itself",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep sqlglot from warning about what is refused right after."""
    log = logging.getLogger("sqlglot")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
