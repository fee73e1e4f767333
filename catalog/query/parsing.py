"""A user's text as one statement that can be looked at: its syntax tree, and where things stand."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlglot import exp, parse, parse_one
from sqlglot.errors import SqlglotError

from catalog.errors import QueryError

_EXPLAIN = re.compile(r"\s*explain(\s+analyze)?\s+(?=\S)", re.IGNORECASE)
_SHOW_ONE = re.compile(
    r"\s*(show|describe|desc|summarize)\s+"
    r"(?!(?:select|from|with|values|table|tables|databases|schemas|all|pivot|unpivot)\b)"
    r"([\w.\"]+)\s*;?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Parsed:
    """
    A query: `prefix` is an explain before it or empty, `body` what is explained or run.

    The positions in `tree` count from the beginning of `body`.
    """

    prefix: str
    body: str
    tree: exp.Expr


def parse_query(query: str) -> Parsed:
    """
    Parse exactly one statement.

    Raises:
        QueryError: there is none, or several, or it is not understood.
    """
    if "{#" in query:
        # A comment to sqlglot, but to DuckDB the beginning of a struct: what it hides would run.
        raise QueryError(
            "This query holds {#, which is not understood", hint="Put a space between the two"
        )
    found = _EXPLAIN.match(query)
    prefix, body = (query[: found.end()], query[found.end() :]) if found else ("", query)
    if one := _SHOW_ONE.fullmatch(body):
        # To describe a relation is to describe what a query on it returns.
        verb = "describe" if one[1].lower() in ("show", "desc") else one[1]
        body = f"{verb} from {one[2]}"
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
    return Parsed(prefix, body, statements[0])


def bound(text: str, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values of the parameters that a text names; DuckDB takes no others."""
    return {name: value for name, value in values.items() if re.search(rf"\${name}\b", text)}


def parse_condition(text: str) -> exp.Expr:
    """
    Parse a condition that stands by itself.

    Raises:
        QueryError: it is none.
    """
    try:
        with _quiet():
            return parse_one(text, dialect="duckdb", into=exp.Condition)
    except (SqlglotError, RecursionError) as error:
        shown = text if len(text) <= 200 else f"{text[:200]} …"
        raise QueryError(
            f"This is no condition: {shown}",
            hint="Write one as after WHERE, such as: strategy_type = 'rsi' and param_period > 10",
        ) from error


def position(node: exp.Expr | None) -> tuple[int, int] | None:
    """Return where a name stands in its text: its first character, and the one behind it."""
    if node is None or "start" not in node.meta:
        return None
    return node.meta["start"], node.meta["end"] + 1


def replace_spans(text: str, spans: list[tuple[int, int, str]]) -> str:
    """Return a text with some stretches of it replaced; they do not overlap."""
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


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
