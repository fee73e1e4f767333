"""Views that people made, and the catalog's macros over traces, written out in a query."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from duckdb import DuckDBPyConnection
from sqlglot import TokenType, exp, parse_one, tokenize

from catalog.query.parsing import Parsed, parse_query, position, replace_spans
from catalog.query.relations import TRACE_RELATIONS
from catalog.statements import statement
from catalog.store.macros import macro_text
from catalog.store.views import VIEWS

# Those that read every trace where they are run as they are stored.
MACROS = frozenset({"holdings_at", "dense_signal", "agreement", "trades_at"})
_MACRO = re.compile(
    r"create or replace macro (\w+)\s*\((.*?)\)\s*as table\s+(.*?);?\s*\Z",
    re.DOTALL | re.IGNORECASE,
)
_VIEW = re.compile(
    r"CREATE (?:TEMP(?:ORARY)? )?VIEW \S+ AS (.*?);?\s*\Z", re.DOTALL | re.IGNORECASE
)
_DEEPEST = 16


def expand(con: DuckDBPyConnection, parsed: Parsed) -> Parsed:
    """Return a query in which such views and macros are subqueries, so that it can be planned."""
    for _ in range(_DEEPEST):
        spans = []
        common = {one.alias.lower() for one in parsed.tree.find_all(exp.CTE)}
        for table in parsed.tree.find_all(exp.Table):
            found = _macro(table, parsed.body) or _view(con, table, common)
            if found is not None:
                spans.append(found)
        if not spans:
            break
        again = parse_query(replace_spans(parsed.body, spans))
        parsed = replace(parsed, body=again.body, tree=again.tree)
    return parsed


def _view(
    con: DuckDBPyConnection, table: exp.Table, common: set[str]
) -> tuple[int, int, str] | None:
    name, span = table.name.lower(), position(table.this)
    schema = position(table.args.get("db"))
    known = name in VIEWS or name in TRACE_RELATIONS or name in common
    if span is None or known or table.text("db").lower() not in ("", "main"):
        return None
    rows = con.execute(statement("select_made_view"), {"name": name}).fetchall()
    found = _VIEW.fullmatch(rows[0][0]) if rows else None
    if found is None:
        return None
    reads = {one.name.lower() for one in parse_one(found[1], dialect="duckdb").find_all(exp.Table)}
    if reads & common:
        return None  # In its place it would read the CTEs of the query.
    alias = "" if table.alias else f" as {table.this.sql('duckdb')}"
    return (schema or span)[0], span[1], f"({found[1]}){alias}"


def _macro(table: exp.Table, text: str) -> tuple[int, int, str] | None:
    call = table.this
    if not isinstance(call, exp.Anonymous) or call.name.lower() not in MACROS:
        return None
    span = call_span(text, call)
    body = _written_out(call)
    if span is None or body is None:
        return None
    alias = "" if table.alias else f" as {call.name.lower()}"
    return (*span, f"({body}){alias}")


def _written_out(call: exp.Anonymous) -> str | None:
    """Return a macro's query with the arguments of a call in it."""
    names, query = _definition(call.name.lower())
    given = dict(names)
    for place, argument in enumerate(call.expressions):
        if isinstance(argument, exp.PropertyEQ | exp.EQ | exp.Kwarg):
            name, value = argument.this.name.lower(), argument.expression
        elif place < len(names):
            name, value = names[place][0], argument
        else:
            return None
        if name not in given:
            return None
        given[name] = value
    if any(value is None for value in given.values()):
        return None  # DuckDB says which argument is missing.
    tree = query.copy()
    for column in list(tree.find_all(exp.Column)):
        value = given.get(column.name.lower()) if not column.table else None
        if value is not None:
            column.replace(exp.paren(value.copy(), copy=False))
    return tree.sql("duckdb")


@cache
def _definition(name: str) -> tuple[list[tuple[str, exp.Expr | None]], exp.Expr]:
    """Return the parameters of a macro with their defaults, and its query."""
    found = _MACRO.search(macro_text(name))
    assert found is not None  # noqa: S101 - sql/macro_<name>.sql is one statement
    names: list[tuple[str, exp.Expr | None]] = []
    for part in found[2].split(","):
        parameter, _, default = part.partition(":=")
        value = parse_one(default, dialect="duckdb") if default.strip() else None
        names.append((parameter.strip().lower(), value))
    query = parse_one(found[3], dialect="duckdb")
    for node in query.walk():
        node.comments = None
    return names, query


def call_span(text: str, call: exp.Expr) -> tuple[int, int] | None:
    """Return where a call stands in the text, from its name to its closing parenthesis."""
    span = position(call)
    if span is None:
        return None
    depth = 0
    for token in tokenize(text, dialect="duckdb"):
        if token.start < span[0]:
            continue
        if token.token_type is TokenType.L_PAREN:
            depth += 1
        elif token.token_type is TokenType.R_PAREN:
            depth -= 1
            if depth == 0:
                return span[0], token.end + 1
    return None
