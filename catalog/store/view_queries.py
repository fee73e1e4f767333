"""The query of a public view: its file in sql/, with what the catalog holds put into it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from sqlglot import exp, parse_one

from catalog.statements import statement
from catalog.store.patterns import Pattern

# Behind which column the parameter columns stand.
_PARAMETERS_AFTER = {
    "strategies": "strategy_type",
    "strategy_index": "timeframe",
    "strategies_of_type": "config",
    "leaderboard": "timeframe",
}
# What the view of trades pays; the macro trades_at is for those who pay something.
NO_COST = exp.Literal.number("0.0")
# The table of the strategies in views that join others to it.
_PARAMETERS_OF = {"strategy_index": "s", "strategies_of_type": "s", "leaderboard": "s"}


@dataclass(frozen=True)
class Layout:
    """Files whose rows the same statement in sql/ reads; those of a lake with its number."""

    statement: str
    patterns: tuple[Pattern, ...]
    lake: int | None = None


@dataclass(frozen=True)
class ViewInputs:
    """
    What a view is made of beside its file in sql/.

    `root` is the absolute folder of the catalog, `columns` are parameter columns,
    `patterns` what `$files` reads, `layouts` what `$rows` is the union of. `lakes` have rows of
    the view beside what it reads itself.
    """

    root: str
    columns: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    layouts: tuple[Layout, ...] = ()
    strategy_type: str | None = None
    lakes: tuple[Layout, ...] = ()

    def elsewhere(self) -> Iterator[str]:
        """Yield what is read that does not lie below the catalog's folder."""
        layouts = (*self.layouts, *self.lakes)
        for patterns in (self.patterns, *(layout.patterns for layout in layouts)):
            yield from (pattern.glob for pattern in patterns if not pattern.is_relative)


def build_query(template: str, inputs: ViewInputs, tables: Collection[str]) -> exp.Query:
    """
    Return the query of a view.

    Args:
        template: sql/view_<template>.sql.
        tables: the catalog's own tables, which are named with their schema so that any
            client finds them.
    """
    query = _read_files(parsed(f"view_{template}").copy(), inputs.patterns, inputs.root)
    if inputs.layouts:
        _put_rows(query, inputs.layouts, inputs.root)
    put(query, "cost", NO_COST)
    if template in _PARAMETERS_AFTER:
        table, after = _PARAMETERS_OF.get(template), _PARAMETERS_AFTER[template]
        _put_columns(query, inputs.columns, after=after, table=table)
    put(query, "root", exp.Literal.string(inputs.root))
    if inputs.strategy_type is not None:
        put(query, "strategy_type", exp.Literal.string(inputs.strategy_type))
    for lake in inputs.lakes:
        rows = _read_files(parsed(lake.statement).copy(), lake.patterns, inputs.root)
        put(rows, "lake", exp.Literal.number(lake.lake or 0))
        query = exp.union(query, rows, distinct=False, copy=False)
    for source in query.find_all(exp.Table):
        if source.name in tables and not source.db:
            source.set("db", exp.to_identifier("internal"))
    return query


def view_columns(name: str) -> tuple[str, ...]:
    """Return the columns of a view but for the parameter columns, in lower case."""
    return tuple(column.lower() for column in parsed(f"view_{name}").named_selects)


@cache
def parsed(name: str) -> exp.Query:
    """Return the query in sql/<name>.sql. It is shared: copy it before changing it."""
    query = parse_one(statement(name), dialect="duckdb")
    assert isinstance(query, exp.Query)  # noqa: S101 - a view is a query, or sql/ is wrong
    for node in query.walk():
        node.comments = None
    return query


def put(query: exp.Query, name: str, value: exp.Expression) -> None:
    """Put an expression in the place of the parameter `$name`."""
    for node in list(query.find_all(exp.Parameter, exp.Placeholder)):
        if node.name == name:
            node.replace(value.copy())


def _put_columns(
    query: exp.Query, columns: Iterable[str], *, after: str, table: str | None
) -> None:
    """Put columns into the select list, behind the one called `after`."""
    selected = query.selects
    position = 1 + next(i for i, item in enumerate(selected) if item.alias_or_name == after)
    # Of hundreds of columns sqlglot would copy every part.
    added = [exp.column(name, table=table, quoted=True, copy=False) for name in columns]
    query.set("expressions", selected[:position] + added + selected[position:])


def _put_rows(query: exp.Query, layouts: tuple[Layout, ...], root: str) -> None:
    """Put the union of the rows of all layouts in the place of `$rows`."""
    branches = [
        _read_files(parsed(layout.statement).copy(), layout.patterns, root) for layout in layouts
    ]
    rows = branches[0]
    for branch in branches[1:]:
        rows = exp.union(rows, branch, distinct=False, copy=False)
    place = next(table for table in query.find_all(exp.Table) if table.name == "rows")
    place.replace(rows.subquery(alias=place.alias))


def _read_files(query: exp.Query, patterns: tuple[Pattern, ...], root: str) -> exp.Query:
    """Let `read_parquet($files, …)` read the patterns, or be an empty table where there is none."""
    call = query.find(exp.ReadParquet)
    if call is None:
        return query
    if patterns:
        put(query, "files", exp.array(*(_glob(pattern, root) for pattern in patterns), copy=False))
    else:
        call.replace(no_rows(call))
    return query


def _glob(pattern: Pattern, root: str) -> exp.Expression:
    if not pattern.is_relative:
        return exp.Literal.string(pattern.glob)
    # The very expression that trace_files makes its paths with, so that they are equal; here
    # it is part of a pattern.
    base = exp.func(
        "coalesce",
        exp.func("getvariable", exp.Literal.string("catalog_root")),
        exp.Literal.string(root),
    )
    escaped = exp.func(
        "regexp_replace",
        base,
        exp.Literal.string("[*?[]"),
        exp.Literal.string("[\\0]"),
        exp.Literal.string("g"),
        dialect="duckdb",
    )
    return exp.DPipe(this=escaped, expression=exp.Literal.string("/" + pattern.glob))


def no_rows(call: exp.Expression) -> exp.Expression:
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
