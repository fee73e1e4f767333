"""
The catalog's public views, made anew in the transaction that changes them.

What a view depends on in the catalog's contents (the patterns to read, the parameter
columns, the catalog's folder) is gathered first; a view is made anew only where that
differs from what it was made with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from os.path import exists

import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.statements import statement
from catalog.store.comments import comment_view
from catalog.store.macros import PREFIX as MACRO_PREFIX
from catalog.store.macros import refresh_macros
from catalog.store.parameters import parameter_columns
from catalog.store.patterns import Folder, Pattern, choose_patterns, escape
from catalog.store.present import present
from catalog.store.registered import registered
from catalog.store.remote import unlisted
from catalog.store.view_queries import Layout, ViewInputs, build_query

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
    "components",
    "lineage",
    "signals",
    "classifications",
    "holdings",
    "orders",
    "fills",
    "positions",
    "price_series",
    "bars",
    "trades",
    "metrics",
    "daily_returns",
    "daily_returns_next_open",
    "leaderboard",
    "tags",
)
# Stands for the catalog's folder until it is known.
_ROOT = "\N{REPLACEMENT CHARACTER} root"
ON_STRATEGY = frozenset({"strategies", "strategy_index", "strategies_of_type", "leaderboard"})
TRACE_KINDS = {"signals": "signal", "classifications": "classifier"}
EVENT_KINDS = {"orders": "order", "fills": "fill", "positions": "position"}
LAKE_ROWS = {
    "signals": "rows_lake_changes",
    "classifications": "rows_lake_changes",
    "orders": "rows_lake_orders",
    "fills": "rows_lake_fills",
    "positions": "rows_lake_positions",
}
"""What reads the rows of a view that lakes have."""


@dataclass(frozen=True)
class View:
    """A public view: sql/view_<template>.sql and what is put into it."""

    name: str
    template: str
    inputs: ViewInputs

    @property
    def signature(self) -> str:
        """Differs where the view would."""
        layouts = (*self.inputs.layouts, *self.inputs.lakes)
        parts = [statement(layout.statement) for layout in layouts]
        made_of = repr((statement(f"view_{self.template}"), parts, self.inputs))
        return hashlib.sha256(made_of.encode()).hexdigest()


def refresh_views(
    con: DuckDBPyConnection,
    root: str,
    *,
    strategy_altered: bool = False,
    beside: str | None = None,
    only_present: bool = False,
) -> None:
    """
    Make the public views say what the tables hold now. Belongs in a transaction.

    Args:
        root: absolute folder of the catalog, without a slash at its end.
        strategy_altered: the columns of the table `strategy` have changed; DuckDB 1.2
            cannot use a view that was made before that, so its views are made anew.
        beside: where the files beside the catalog are for now, if that is not below `root`.
        only_present: leave out files that went without a word, of which DuckDB makes no view.
    """
    _refresh(
        con,
        root,
        strategy_altered=strategy_altered,
        beside=beside or root,
        only_present=only_present,
    )
    # They read the views.
    refresh_macros(con)


def _refresh(
    con: DuckDBPyConnection,
    root: str,
    *,
    strategy_altered: bool,
    beside: str,
    only_present: bool,
) -> None:
    known = dict(con.execute(statement("select_view_signatures")).fetchall())
    known = {name: one for name, one in known.items() if not name.startswith(MACRO_PREFIX)}
    wanted = {view.name: view for view in _wanted(con, root, beside)}
    changed = [
        view
        for view in wanted.values()
        if known.get(view.name) != view.signature
        or (strategy_altered and view.template in ON_STRATEGY)
    ]
    gone = known.keys() - wanted.keys()
    if not changed and not gone:
        return
    tables = frozenset(row[0] for row in con.execute(statement("select_tables")).fetchall())
    with unlisted(con, (glob for view in changed for glob in view.inputs.elsewhere())):
        if only_present:
            # The signature is another one then, and the view is made anew with what comes next.
            changed = [replace(one, inputs=present(one.inputs, beside)) for one in changed]
        for view in changed:
            text = _create_text(view.name, view.template, replace(view.inputs, root=_ROOT), tables)
            con.execute(text.replace(_literal(_ROOT), _literal(root)))
            comment_view(con, view.name, view.template, view.inputs.columns)
    for name in gone:
        con.execute(f"drop view if exists {exp.column(name, quoted=True).sql(dialect='duckdb')}")
    incoming = pa.table(
        {
            "view_name": pa.array([*(view.name for view in changed), *gone], pa.string()),
            "signature": pa.array(
                [*(view.signature for view in changed), *([None] * len(gone))], pa.string()
            ),
        }
    )
    with registered(con, incoming_view=incoming):
        con.execute(statement("replace_view_signatures"))


@lru_cache(maxsize=256)
def _create_text(name: str, template: str, inputs: ViewInputs, tables: frozenset[str]) -> str:
    """Return the statement that makes a view. Of the same view in another folder it is the same."""
    create = exp.Create(
        this=exp.to_identifier(name, quoted=True),
        kind="VIEW",
        replace=True,
        expression=build_query(template, inputs, tables),
    )
    return create.sql(dialect="duckdb")


def _literal(text: str) -> str:
    return exp.Literal.string(text).sql(dialect="duckdb")


def _wanted(con: DuckDBPyConnection, root: str, beside: str) -> Iterator[View]:
    nothing = ViewInputs(root)
    columns = tuple(parameter_columns(con))
    for name in VIEWS:
        inputs = nothing
        if name == "signals":
            inputs = replace(nothing, layouts=_signal_layouts(con))
        elif name in TRACE_KINDS:
            inputs = replace(nothing, patterns=_patterns(con, TRACE_KINDS[name]))
        elif name in EVENT_KINDS:
            inputs = replace(nothing, layouts=_layouts(con, EVENT_KINDS[name]))
        elif name == "bars":
            inputs = replace(nothing, layouts=(_beside(con, beside, "price", "bars"),))
        elif name == "trades":
            inputs = replace(nothing, layouts=(Layout("rows_trades", ()),))
        elif name.startswith("daily_returns"):
            inputs = replace(nothing, layouts=(_beside(con, beside, "return", "returns"),))
        elif name in ON_STRATEGY:
            inputs = replace(nothing, columns=columns)
        if name in LAKE_ROWS:
            inputs = replace(inputs, lakes=_lakes(con, name))
        yield View(name, name, inputs)
    taken: set[str] = set()
    for strategy_type, own in con.execute(statement("select_type_columns")).fetchall():
        name = type_view_name(strategy_type, taken)
        inputs = replace(nothing, columns=tuple(own), strategy_type=strategy_type)
        yield View(name, "strategies_of_type", inputs)


def type_view_name(strategy_type: str, taken: set[str]) -> str:
    """Return the name of a type's view, which differs from the taken ones by more than its case."""
    name = f"type_{strategy_type}".replace("\0", "_")
    unique, number = name, 1
    while unique.lower() in taken:
        number += 1
        unique = f"{name}_{number}"
    taken.add(unique.lower())
    return unique


def _patterns(con: DuckDBPyConnection, kind: str) -> tuple[Pattern, ...]:
    """Return the patterns that meet the registered files of a kind."""
    rows = con.execute(statement("select_trace_folders"), {"kind": kind}).fetchall()
    folders = [(directory_id, Folder(*row)) for directory_id, *row in rows]
    return tuple(
        choose_patterns(
            folder
            if folder.is_clean or not folder.has_files
            else replace(folder, files=_names(con, directory_id, kind))
            for directory_id, folder in folders
        )
    )


def _names(con: DuckDBPyConnection, directory_id: int, kind: str) -> tuple[str, ...]:
    values = {"directory_id": directory_id, "kind": kind}
    return tuple(row[0] for row in con.execute(statement("select_trace_names"), values).fetchall())


def _signal_layouts(con: DuckDBPyConnection) -> tuple[Layout, ...]:
    """Return what holds the rows of signals: loose files, packs, or both."""
    loose = Layout("rows_signal_loose", _patterns(con, "signal"))
    paths = con.execute(statement("select_packs")).fetchall()
    if not paths:
        return (loose,)
    packs = tuple(Pattern(escape(path), True) for (path,) in paths)
    packed = Layout("rows_signal_packed", packs)
    return (loose, packed) if loose.patterns else (packed,)


def _lakes(con: DuckDBPyConnection, relation: str) -> tuple[Layout, ...]:
    """Return the files of opened lakes that hold rows of a view, a layout a lake."""
    values = {"relation": relation}
    rows = con.execute(statement("select_lake_files"), values).fetchall()
    return tuple(
        Layout(
            LAKE_ROWS[relation],
            tuple(Pattern(escape(path), is_relative) for path in files),
            lake_id,
        )
        for lake_id, is_relative, files in rows
    )


def _beside(con: DuckDBPyConnection, root: str, kind: str, rows: str) -> Layout:
    """Return the files beside the catalog that hold rows. One that is gone would break a view."""
    paths = [path for (path,) in con.execute(statement(f"select_{kind}_paths")).fetchall()]
    there = tuple(Pattern(escape(path), True) for path in paths if exists(f"{root}/{path}"))
    return Layout(f"rows_{rows}", there) if there else Layout(f"rows_no_{rows}", ())


def _layouts(con: DuckDBPyConnection, kind: str) -> tuple[Layout, ...]:
    """Return the registered files of orders, fills or positions, by their layout."""
    rows = con.execute(statement("select_event_files"), {"kind": kind}).fetchall()
    return tuple(
        Layout(
            f"rows_{kind}_{'flat' if layout is None else 'nested'}",
            tuple(Pattern(escape(path), True) for path in relative)
            + tuple(Pattern(escape(path), False) for path in absolute),
        )
        for layout, relative, absolute in rows
    ) or (Layout(f"rows_{kind}_flat", ()),)
