"""The names that follow from a lake's tables, by the queries that the catalog's own views have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import cast

import pyarrow.parquet as pq
from sqlglot import exp

from catalog.lake.lake import Lake
from catalog.places import read_bytes
from catalog.spark.columns import parameter_columns, public_columns
from catalog.store.view_queries import Layout, ViewInputs, build_query, view_columns

TABLES = (
    "strategies",
    "runs",
    "trace_files",
    "components",
    "metrics",
    "price_series",
    "tags",
    "signals",
    "classifications",
    "orders",
    "fills",
    "positions",
    "daily_returns",
    "daily_returns_next_open",
    "bars",
)
"""The public names that are tables of a lake."""
DERIVED = {
    "strategy_index": ("trace_files", "strategies", "metrics"),
    "leaderboard": ("trace_files", "strategies", "metrics"),
    "twins": ("trace_files", "strategies"),
    "lineage": ("components",),
    "holdings": ("signals", "trace_files"),
    "trades": ("signals", "trace_files", "price_series", "bars"),
}
"""The public names that are made of others, and of which."""
OF_TYPES = ("trace_files", "strategies", "metrics")
"""What the views `type_<strategy_type>` are made of."""
ABSENT = {
    "quarantine": "which files were not registered",
    "missing_files": "which files are gone",
    "other_files": "which files were passed over",
    "parameters": "which parameter has which column",
    "run_strategies": "which strategy a run knew under which strategy_id",
}
"""The public names that only a catalog has, and what they say."""

_WITH_PARAMETERS = {"strategy_index", "leaderboard"}
# The tables of catalog.duckdb that its views ask, as a lake has them.
_INTERNAL = {
    "strategy": "strategies",
    "trace_file": "trace_files",
    "component": "components",
    "metric": "metrics",
}
_RENAMED = {"component": {"parent_key": "parent", "child_key": "child"}}


def derived_query(name: str, lake: Lake, *, depth: int) -> str:
    """
    Return the query of a derived name, in DuckDB's SQL, over the public names.

    Args:
        depth: how deep composites of the lake lie in each other; what `lineage` goes through.
    """
    if name == "lineage":
        return _lineage(depth)
    columns = parameter_columns(lake.schema("strategies")) if name in _WITH_PARAMETERS else ()
    layouts = (Layout("rows_trades", ()),) if name == "trades" else ()
    return _query(name, ViewInputs("", columns=tuple(columns), layouts=layouts), lake)


def type_query(strategy_type: str, columns: Sequence[str], lake: Lake) -> str:
    """
    Return the query of the view of one type's strategies, in DuckDB's SQL.

    Args:
        columns: the parameter columns that strategies of the type have values in.
    """
    inputs = ViewInputs("", columns=tuple(columns), strategy_type=strategy_type)
    return _query("strategies_of_type", inputs, lake)


def types_query(lake: Lake) -> str:
    """
    Return the query that the views of all types are taken from, with `strategy_type` beside.

    To translate it once takes a moment, and once for each of a hundred types does not.
    """
    inputs = ViewInputs("", columns=tuple(parameter_columns(lake.schema("strategies"))))
    query = _built("strategies_of_type", inputs, lake)
    query.set("where", None)
    return query.select("s.strategy_type").sql(dialect="duckdb")


def type_columns(own: Sequence[str]) -> list[str]:
    """Return the columns of the view of one type, which has some parameter columns of its own."""
    columns = list(view_columns("strategies_of_type"))
    place = columns.index("config") + 1
    return [*columns[:place], *own, *columns[place:]]


def _query(template: str, inputs: ViewInputs, lake: Lake) -> str:
    return _built(template, inputs, lake).sql(dialect="duckdb")


def _built(template: str, inputs: ViewInputs, lake: Lake) -> exp.Select:
    query = build_query(template, inputs, ())
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if table.name in _INTERNAL and table.name not in own:
            table.replace(_as_internal(table.name, lake).subquery(alias=table.alias_or_name))
    return cast(exp.Select, query)


def _as_internal(name: str, lake: Lake) -> exp.Select:
    """Return a table of catalog.duckdb out of one of a lake."""
    public = _INTERNAL[name]
    renamed = {old: new for new, old in _RENAMED.get(name, {}).items()}
    columns = [
        exp.column(column, quoted=True).as_(renamed.get(column, column), quoted=True)
        for column in public_columns(public, lake.schema(public))
        if column != "set_id"
    ]
    query = exp.select(*columns).from_(public)
    if name == "metric":
        # Every catalog numbers its metric sets by itself; the default one is the first in each.
        query = query.select(exp.alias_(exp.Literal.number(1), "set_id")).where("is_default")
    return query


def _lineage(depth: int) -> str:
    """Return sql/view_lineage.sql without recursion, which not every engine knows."""
    levels = [
        exp.select("parent as ancestor", "child as descendant", "1 as depth")
        .from_("components")
        .distinct()
    ]
    for level in range(2, depth + 1):
        levels.append(
            exp.select("m.ancestor", "c.child as descendant", f"{level} as depth")
            .from_(f"made_of_{level - 1} as m")
            .join("components as c", on="c.parent = m.descendant")
            .distinct()
        )
    query = exp.select("ancestor", "descendant", "min(depth) as depth").group_by(
        "ancestor", "descendant"
    )
    every: exp.Query = exp.select("*").from_("made_of_1")
    for level in range(2, depth + 1):
        every = exp.union(every, exp.select("*").from_(f"made_of_{level}"), distinct=False)
    query = query.from_(every.subquery("every"))
    for number, made in enumerate(levels, 1):
        query = query.with_(f"made_of_{number}", as_=made)
    return query.sql(dialect="duckdb")


def nesting(edges: Mapping[str, Sequence[str]]) -> int:
    """
    Return how deep configurations lie in each other, at least one.

    Args:
        edges: what each composite is made of.
    """
    depth, level = 1, set(edges)
    # No configuration can contain itself; a lake that was tampered with could say so.
    while depth < 200:
        level = {child for parent in level for child in edges[parent] if child in edges}
        if not level:
            break
        depth += 1
    return depth


def component_edges(lake: Lake) -> dict[str, list[str]]:
    """Return what each composite of a lake is made of."""
    edges = defaultdict(list)
    for file in lake.files("components"):
        table = pq.read_table(BytesIO(read_bytes(file.place)), columns=["parent", "child"])
        for parent, child in zip(*table.to_pydict().values(), strict=True):
            edges[parent].append(child)
    return edges
