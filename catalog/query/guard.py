"""
Only queries that read pass: one statement, made of nothing but reading.

Two parsers have to agree. sqlglot's tree may hold only kinds of nodes that read; DuckDB's own
tree of the same text may hold only select nodes and calls of listed functions. What either of
them does not know is refused. DuckDB's read-only mode alone is not enough: it lets
`copy … to` write files, even from inside a `with`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from sqlglot import TokenType, exp, tokenize

from catalog.errors import QueryError
from catalog.query.functions import (
    CATALOG_FUNCTIONS,
    FILE_FUNCTIONS,
    ROW_FUNCTIONS,
    VALUE_FUNCTIONS,
)
from catalog.query.parsing import Parsed

_READING = (exp.Query, exp.Describe, exp.Summarize, exp.Show, exp.Values, exp.Pivot)
# What a tree of reading is made of. A kind that is not here is refused.
_PARTS = (
    exp.Query, exp.Condition, exp.Func, exp.Alias, exp.Aliases, exp.AtTimeZone, exp.CTE,
    exp.Comprehension, exp.ColumnDef, exp.Cube, exp.DataType, exp.DataTypeParam, exp.Describe,
    exp.Distinct,
    exp.Fetch, exp.Filter, exp.From, exp.Group, exp.GroupingSets, exp.Having, exp.HavingMax,
    exp.Identifier, exp.IgnoreNulls, exp.Interval, exp.IntervalOp, exp.JSONPath,
    exp.JSONPathPart, exp.Join, exp.Lambda, exp.Lateral, exp.Limit, exp.LimitOptions,
    exp.Offset, exp.Order,
    exp.Ordered, exp.Pivot, exp.PivotAny, exp.PositionalColumn, exp.PropertyEQ,
    exp.Qualify, exp.RespectNulls,
    exp.Rollup, exp.Show, exp.Slice, exp.Star, exp.Summarize, exp.Table, exp.TableAlias,
    exp.TableSample, exp.Tuple, exp.UDTF, exp.UnpivotColumns, exp.Var, exp.Where, exp.Window,
    exp.WindowSpec, exp.With, exp.WithinGroup,
)  # fmt: skip
_HINT = "To change or copy the catalog, open it in DuckDB itself"

# The nodes of DuckDB's own tree that read.
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_LISTED = VALUE_FUNCTIONS | ROW_FUNCTIONS | FILE_FUNCTIONS | CATALOG_FUNCTIONS
# Words that are no function where a parenthesis follows.
_BEFORE_PARENTHESES = frozenset(
    """
    all and any as between by case cast cross distinct else except exclude exists filter for from
    group having in intersect interval is join lateral like limit not offset on or order over
    partition pivot pivot_wider qualify replace select some then try_cast union unpivot using
    values when where with within
    """.split()  # noqa: SIM905 - words are easier to read than quotes
)
# Tables that DuckDB makes of what it knows of itself; of these, people look at the comments.
_SYSTEM_PREFIXES = ("duckdb_", "pragma_", "sqlite_", "pg_")
_SYSTEM_TABLES = frozenset({"duckdb_columns", "duckdb_tables", "duckdb_types", "duckdb_views"})
_SCHEMAS = frozenset({"", "main", "temp", "information_schema", "internal"})


def check_tree(parsed: Parsed) -> None:
    """
    Refuse a statement that sqlglot does not take for reading, part by part.

    Raises:
        QueryError: with what it is.
    """
    tree = parsed.tree
    refused = None if isinstance(tree, _READING) else tree
    for node in tree.walk():
        # `with x as (insert …)` is a select to a parser: its parts are what counts.
        if refused is None and not isinstance(node, _READING + _PARTS):
            refused = node
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            check_table(node.text("db"), node.name)
    if refused is not None:
        outermost = refused is tree or isinstance(refused, exp.Command)
        word = parsed.body.split(None, 1)[0].upper() if outermost else refused.key.upper()
        raise QueryError(f"Only queries that read run here, and this holds {word}", hint=_HINT)


def check_reads_only(con: DuckDBPyConnection, parsed: Parsed) -> None:
    """Do both checks."""
    check_tree(parsed)
    check_text(con, parsed)


def check_text(con: DuckDBPyConnection, parsed: Parsed) -> None:
    """
    Refuse a text that DuckDB does not take for one query of listed functions.

    Raises:
        QueryError: with what it is, or where DuckDB does not understand it.
    """
    try:
        count = len(con.extract_statements(parsed.prefix + parsed.body))
    except duckdb.Error as error:
        raise QueryError(str(error).strip(), hint="Check the SQL") from error
    if count != 1:
        raise QueryError(f"There are {count} statements", hint="Run one statement at a time")
    own = own_tree(con, parsed.body)
    if own is None:
        if parsed.tree.find(exp.Pivot) is None and not isinstance(parsed.tree, exp.Show):
            raise QueryError("Only queries that read run here, and this is none", hint=_HINT)
        _check_words(parsed.body)
        return
    for node in _nodes(own):
        _check_node(node)


def own_tree(con: DuckDBPyConnection, text: str) -> Any:
    """Return DuckDB's syntax tree of a query, or None where it has none to show."""
    query = "select json_serialize_sql($text::varchar)"
    ((written,),) = con.execute(query, {"text": text}).fetchall()
    found = json.loads(written)
    return None if found["error"] else found["statements"]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(value for value in one.values() if isinstance(value, dict | list))
        else:
            waiting.extend(value for value in one if isinstance(value, dict | list))


def _check_node(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _NODES:
        word = kind.removesuffix("_NODE").removesuffix("_QUERY")
        raise QueryError(f"Only queries that read run here, and this holds {word}", hint=_HINT)
    # What looks like a function's schema may be a column: name.lower() is lower(name).
    if "function_name" in node and not node.get("is_operator"):
        _check_function(node["function_name"])
    if kind == "BASE_TABLE":
        check_table(str(node.get("schema_name", "")), str(node.get("table_name", "")))


def _check_function(name: str) -> None:
    is_word = name.replace("_", "").isalnum()
    if is_word and name.lower() not in _LISTED:
        raise _no_function(name)


def check_table(schema: str, name: str) -> None:
    """
    Refuse a table of DuckDB's own that tells more than what the catalog holds.

    Raises:
        QueryError: it is one.
    """
    is_system = name.lower().startswith(_SYSTEM_PREFIXES) and name.lower() not in _SYSTEM_TABLES
    if schema.lower() not in _SCHEMAS or is_system:
        full = f"{schema}.{name}" if schema else name
        raise QueryError(
            f"The table {full} cannot be asked here",
            hint='See the tables with: catalog sql "show tables"',
        )


def _check_words(text: str) -> None:
    """Check every word that stands before a parenthesis, where there is no tree to look at."""
    tokens = tokenize(text, dialect="duckdb")
    for word, behind in pairwise(tokens):
        if behind.token_type is not TokenType.L_PAREN:
            continue
        if word.text.lower() not in _BEFORE_PARENTHESES:
            _check_function(word.text)


def _no_function(name: str) -> QueryError:
    return QueryError(
        f"The function {name} does not run here",
        hint="Functions of values do, and those that read files which the query names",
    )
