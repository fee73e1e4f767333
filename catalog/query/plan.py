"""
A user's query, rewritten to read only the trace files that can matter to it.

The text stays as it is but for the places that read trace files. What is put there returns the
same columns from chosen files: see `needs` for how they are chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.query.choose import Choice, Chooser
from catalog.query.expand import expand
from catalog.query.lateral import LateralRead, find_laterals, prepare_lateral
from catalog.query.meanings import Meanings
from catalog.query.needs import Needs
from catalog.query.parsing import Parsed, bound, parse_query, position, replace_spans
from catalog.query.reads import reading_sql
from catalog.query.relations import TRACE_RELATIONS
from catalog.query.restored import Restored
from catalog.query.scopes import Scopes, find_scopes
from catalog.store.macros import MACROS

_VERB = re.compile(r"\b(table|describe|desc|summarize|show)\s+\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Plan:
    """
    A query that is ready to run on the connection that it was planned on.

    `text` runs; `outline` says the same with a short name for each relation that was replaced.
    """

    text: str
    outline: str
    choices: tuple[Choice, ...] = ()
    laterals: tuple[LateralRead, ...] = ()
    totals: Mapping[str, int] = field(default_factory=dict)
    """How many traces of each relation there are, where somebody asked how it is run."""


@dataclass
class _Places:
    """What is put where in the text, whole and in outline."""

    whole: list[tuple[int, int, str]] = field(default_factory=list)
    outline: list[tuple[int, int, str]] = field(default_factory=list)

    def put(self, span: tuple[int, int], whole: str, outline: str) -> None:
        self.whole.append((*span, whole))
        self.outline.append((*span, outline))


def plan(
    con: DuckDBPyConnection,
    parsed: Parsed,
    values: Mapping[str, object],
    *,
    restored: Restored,
    folders: Sequence[str],
    refused: dict[str, str],
    numbers: Iterator[int] | None = None,
) -> Plan:
    """
    Plan a query that was found to read only.

    Chosen traces are left in relations and variables of the connection.

    Args:
        restored: where traces are written to whose files are in a pack only.
        folders: the catalog's own folders, which paths may lead into.
        refused: conditions that DuckDB is not to be asked, each with the reason.
        numbers: for the names of what is left.

    Raises:
        RefusedError: DuckDB refused a condition, which is in `refused` now: plan again.
        QueryError: a path that it reads laterally cannot be read.
    """
    parsed = expand(con, parsed)
    scopes = find_scopes(parsed.tree)
    meanings = Meanings(con, parsed, scopes, values)
    needs = Needs(meanings)
    numbers = numbers or count(1)
    chooser = Chooser(
        con, values, numbers, refused, wants_rows=not isinstance(parsed.tree, exp.Describe)
    )
    places = _Places()
    choices = []
    for table in _trace_tables(parsed.tree, scopes):
        span = _span(table)
        if span is None:
            continue
        source = next(
            (one for scope in scopes.all for one in scope.sources if one.node is table), None
        )
        name = table.name.lower()
        choice = chooser.choose(name, source, meanings, needs)
        span, verb = _with_verb(parsed.body, span)
        alias = "" if table.alias else f" as {table.this.sql('duckdb')}"
        short = f"{name}_{choice.chosen.number}"
        places.put(
            span, f"{verb}({reading_sql(name, choice.chosen)}){alias}", f"{verb}{short}{alias}"
        )
        choices.append(choice)

    def fetch(query: str) -> list[tuple[object, ...]]:
        # What has the paths may itself read traces.
        inner = plan(
            con,
            parse_query(query),
            values,
            restored=restored,
            folders=folders,
            refused=refused,
            numbers=numbers,
        )
        return con.execute(inner.text, bound(inner.text, values)).fetchall()

    for column in parsed.tree.find_all(exp.Column):
        # What is put in the place of main.signals has no schema.
        schema, own = position(column.args.get("db")), position(column.args.get("table"))
        if schema and own and column.table.lower() in TRACE_RELATIONS:
            places.put((schema[0], own[0]), "", "")
    laterals = []
    for call in find_laterals(parsed, scopes):
        one = prepare_lateral(
            con, call, next(numbers), meanings, needs,
            restored=restored, fetch=fetch, folders=folders,
        )  # fmt: skip
        places.put(call.span, one.sql, one.sql)
        laterals.append(one)
    return Plan(
        parsed.prefix + replace_spans(parsed.body, places.whole),
        parsed.prefix + replace_spans(parsed.body, places.outline),
        tuple(choices),
        tuple(laterals),
    )


def reads_traces(tree: exp.Expr) -> bool:
    """Say whether a statement may read trace files: it names a view over them, or a macro."""
    names = {table.name.lower() for table in tree.find_all(exp.Table)}
    calls = {call.name.lower() for call in tree.find_all(exp.Anonymous)}
    return not names.isdisjoint(TRACE_RELATIONS) or not calls.isdisjoint(MACROS)


def _trace_tables(tree: exp.Expr, scopes: Scopes) -> Iterator[exp.Table]:
    """Yield where a statement reads a relation over trace files, wherever that stands."""
    common = {one.name for one in scopes.ctes}
    seen = {id(s.node): s for scope in scopes.all for s in scope.sources}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.name.lower() not in TRACE_RELATIONS:
            continue
        if table.text("catalog") or table.text("db").lower() not in ("", "main"):
            continue
        source = seen.get(id(table))
        shadowed = source.kind == "cte" if source else table.name.lower() in common
        if not shadowed:
            yield table


def _with_verb(text: str, span: tuple[int, int]) -> tuple[tuple[int, int], str]:
    """Return the place of a name behind such a verb, and what makes it a query there."""
    found = _VERB.search(text[: span[0]])
    if found is None:
        return span, ""
    start = found.start() if found[1].lower() == "table" else span[0]
    return (start, span[1]), "from "


def _span(table: exp.Table) -> tuple[int, int] | None:
    name, schema = position(table.this), position(table.args.get("db"))
    if name is None:
        return None
    return (schema or name)[0], name[1]
