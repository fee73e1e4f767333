"""
The catalog's public views, made anew in the transaction that changes them.

Each view is a file `sql/view_<name>.sql`. What depends on the catalog's contents
(the patterns to read, the parameter columns, the catalog's folder) is put into
its syntax tree, and the view is replaced only where its text has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache

from duckdb import DuckDBPyConnection
from sqlglot import exp, parse_one

from catalog.statements import statement
from catalog.store.comments import comment_view
from catalog.store.parameters import parameter_columns
from catalog.store.patterns import Folder, Pattern, choose_patterns, escape

# In the order in which they build on each other.
VIEWS = (
    "trace_files",
    "other_files",
    "quarantine",
    "missing_files",
    "strategies",
    "parameters",
    "runs",
    "run_strategies",
    "strategy_index",
    "twins",
    "signals",
    "classifications",
    "holdings",
    "orders",
    "fills",
    "positions",
)
ON_STRATEGY = frozenset({"strategies", "strategy_index", "parameters"})
TRACE_KINDS = {"signals": "signal", "classifications": "classifier"}
EVENT_KINDS = {"orders": "order", "fills": "fill", "positions": "position"}


def refresh_views(con: DuckDBPyConnection, root: str, *, strategy_altered: bool = False) -> None:
    """
    Make the public views say what the tables hold now. Belongs in a transaction.

    Args:
        root: absolute folder of the catalog, without a slash at its end.
        strategy_altered: the columns of the table `strategy` have changed; DuckDB 1.2
            cannot use a view that was made before that, so its views are made anew.
    """
    known = dict(con.execute(statement("select_view_definitions")).fetchall())
    tables = {row[0] for row in con.execute(statement("select_tables")).fetchall()}
    unwanted = set(known)
    for name, query in _definitions(con, root):
        unwanted.discard(name)
        create = exp.Create(
            this=exp.to_identifier(name, quoted=True),
            kind="VIEW",
            replace=True,
            expression=_qualified(query, tables),
        )
        text = create.sql(dialect="duckdb")
        stale = strategy_altered and (name in ON_STRATEGY or name not in VIEWS)
        if known.get(name) == text and not stale:
            continue
        con.execute(text)
        comment_view(con, name)
        values = {"view_name": name, "definition": text}
        con.execute(statement("replace_view_definition"), values)
    for name in unwanted:
        drop = exp.Drop(this=exp.table_(name, quoted=True), kind="VIEW", exists=True)
        con.execute(drop.sql(dialect="duckdb"))
        con.execute(statement("delete_view_definition"), {"view_name": name})


def _definitions(con: DuckDBPyConnection, root: str) -> Iterator[tuple[str, exp.Query]]:
    columns = parameter_columns(con)
    for name in VIEWS:
        query = _template(f"view_{name}")
        if name in TRACE_KINDS:
            query = _reading(query, _patterns(con, TRACE_KINDS[name]), root)
        elif name in EVENT_KINDS:
            query = _with_rows(query, _event_rows(con, EVENT_KINDS[name], root))
        elif name == "strategies":
            query = _with_columns(query, columns, after="strategy_type")
        elif name == "strategy_index":
            query = _with_columns(query, columns, after="timeframe", table="s")
        yield name, _bind(query, root=exp.Literal.string(root))
    taken: set[str] = set()
    types = con.execute(statement("select_type_columns")).fetchall()
    for strategy_type, type_columns in types:
        name = _unclashing(f"type_{strategy_type}", taken)
        query = _with_columns(_template("view_strategies_of_type"), type_columns, after="config")
        yield name, _bind(query, strategy_type=exp.Literal.string(strategy_type))


@cache
def _parsed(name: str) -> exp.Query:
    query = parse_one(statement(name), dialect="duckdb")
    assert isinstance(query, exp.Query)  # noqa: S101 - a view is a query, or sql/ is wrong
    for node in query.walk():
        node.comments = None
    return query


def _template(name: str) -> exp.Query:
    return _parsed(name).copy()


def _qualified(query: exp.Query, tables: Collection[str]) -> exp.Query:
    """Name the catalog's own tables with their schema: any client finds them then."""
    for table in query.find_all(exp.Table):
        if table.name in tables and not table.db:
            table.set("db", exp.to_identifier("internal"))
    return query


def _bind(query: exp.Query, **values: exp.Expression) -> exp.Query:
    """Put expressions in the place of the `$name` parameters."""

    for node in list(query.find_all(exp.Parameter, exp.Placeholder)):
        if node.name in values:
            node.replace(values[node.name].copy())
    return query


def _with_columns(
    query: exp.Query, columns: Iterable[str], *, after: str, table: str | None = None
) -> exp.Query:
    """Put columns into the select list, behind the one called `after`."""
    selected = query.selects
    position = 1 + next(i for i, item in enumerate(selected) if item.alias_or_name == after)
    added = [exp.column(exp.to_identifier(name, quoted=True), table=table) for name in columns]
    query.set("expressions", selected[:position] + added + selected[position:])
    return query


def _unclashing(name: str, taken: set[str]) -> str:
    """Return a name that differs from the taken ones by more than its case."""
    unique, number = name, 1
    while unique.lower() in taken:
        number += 1
        unique = f"{name}_{number}"
    taken.add(unique.lower())
    return unique


def _patterns(con: DuckDBPyConnection, kind: str) -> list[Pattern]:
    rows = con.execute(statement("select_trace_folders"), {"kind": kind}).fetchall()
    folders = [(directory_id, Folder(*row)) for directory_id, *row in rows]
    return choose_patterns(
        folder
        if folder.is_clean or not folder.has_files
        else replace(folder, files=_names(con, directory_id, kind))
        for directory_id, folder in folders
    )


def _names(con: DuckDBPyConnection, directory_id: int, kind: str) -> tuple[str, ...]:
    values = {"directory_id": directory_id, "kind": kind}
    return tuple(row[0] for row in con.execute(statement("select_trace_names"), values).fetchall())


def _reading(query: exp.Query, patterns: list[Pattern], root: str) -> exp.Query:
    """Let `read_parquet($files, …)` read the patterns, or be an empty table where there is none."""
    if patterns:
        return _bind(query, files=exp.array(*(_pattern(p, root) for p in patterns), copy=False))
    call = next(node for node in query.find_all(exp.ReadParquet))
    call.replace(_no_rows(call))
    return query


def _pattern(pattern: Pattern, root: str) -> exp.Expression:
    text = exp.Literal.string(("/" if pattern.is_relative else "") + pattern.glob)
    if not pattern.is_relative:
        return text
    # The very expression that trace_files makes its paths with, so that they are equal.
    base = parse_one("coalesce(getvariable('catalog_root'), $root)", dialect="duckdb")
    return exp.DPipe(this=base, expression=text)


def _no_rows(call: exp.Expression) -> exp.Expression:
    """Return a subquery with the columns that `read_parquet(…, schema = …)` names, and no row."""
    columns = {"filename": "VARCHAR"}
    for field in call.find_all(exp.Struct):
        entry = {item.this.name: item.expression.name for item in field.expressions}
        if "default_value" in entry:  # a field of the map, not the map itself
            columns[entry["name"]] = entry["type"]
    nulls = [
        exp.alias_(exp.cast(exp.null(), kind, dialect="duckdb"), name)
        for name, kind in columns.items()
    ]
    return exp.select(*nulls).where(exp.false()).subquery()


def _event_rows(con: DuckDBPyConnection, kind: str, root: str) -> list[exp.Query]:
    """Return one query a layout of event files."""
    flat: list[Pattern] = []
    nested: list[list[Pattern]] = []
    for layout, relative, absolute in con.execute(
        statement("select_event_files"), {"kind": kind}
    ).fetchall():
        files = [Pattern(escape(path), True) for path in relative]
        files += [Pattern(escape(path), False) for path in absolute]
        if layout is None:
            flat = files
        else:
            nested.append(files)
    queries = [_reading(_template(f"rows_{kind}_nested"), files, root) for files in nested]
    if flat or not queries:
        queries.append(_reading(_template(f"rows_{kind}_flat"), flat, root))
    return queries


def _with_rows(query: exp.Query, branches: list[exp.Query]) -> exp.Query:
    """Put the union of the branches in the place of `$rows`."""
    rows = branches[0]
    for branch in branches[1:]:
        rows = exp.union(rows, branch, distinct=False, copy=False)
    place = next(table for table in query.find_all(exp.Table) if table.name == "rows")
    place.replace(rows.subquery(alias=place.alias))
    return query
