"""UNION, INTERSECT and EXCEPT: of sides that are given the same columns and types first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark.duck import Node
from catalog.spark.ordering import all_keys, position, put_order, sorted_by
from catalog.spark.refuse import refused
from catalog.spark.rewrite_casts import convert
from catalog.spark.rewrite_values import common_type
from catalog.spark.scopes import Column, Scope, Source

if TYPE_CHECKING:
    from catalog.spark.queries import Columns, Lowered, Queries


def set_operation(queries: Queries, node: Node, scope: Scope) -> tuple[exp.Query, Columns]:
    """
    Return UNION, INTERSECT or EXCEPT, its sides with the same columns and types.

    Raises:
        QueryError: with the name of what cannot be translated.
    """
    kind = node["setop_type"]
    children = node.get("children") or [node["left"], node["right"]]
    parts = [queries.lower(one, Scope(scope.parent)) for one in children]
    names = [name for name, _ in parts[0].columns]
    if kind == "UNION_BY_NAME":
        names = _all_names(parts)
    columns: Columns = []
    for at, name in enumerate(names):
        kinds = set()
        for part in parts:
            found = _column(part, name, at, by_name=kind == "UNION_BY_NAME")
            kinds |= {found[1]} if found else set()
        columns.append((name, _common(queries, kinds)))
    classes = {"UNION": exp.Union, "UNION_BY_NAME": exp.Union, "INTERSECT": exp.Intersect,
               "EXCEPT": exp.Except}  # fmt: skip
    sides = [
        exp.Subquery(this=_shaped(queries, part, columns, by_name=kind == "UNION_BY_NAME"))
        for part in parts
    ]
    made: exp.Query = sides[0]
    for side in sides[1:]:
        keeps_all = node.get("setop_all", True)
        made = classes[kind](this=made, expression=side, distinct=not keeps_all)
    return _ordered_set(queries, node, made, columns)


def _common(queries: Queries, kinds: set[str]) -> str:
    known = sorted(kinds - {'"NULL"'})
    if len(known) <= 1:
        return known[0] if known else '"NULL"'
    return common_type(queries.rewriter, known)


def _shaped(queries: Queries, part: Lowered, columns: Columns, *, by_name: bool) -> exp.Query:
    """Return a side of a set operation with the columns and types of the whole."""
    found = [_column(part, name, at, by_name=by_name) for at, (name, _) in enumerate(columns)]
    wanted = [kind for _, kind in columns]
    same = [one[1] for one in part.columns] == wanted
    if same and (not by_name or [one[0] for one in part.columns] == [n for n, _ in columns]):
        return part.query
    query = exp.Select(expressions=[])
    for (name, kind), one in zip(columns, found, strict=True):
        value = b.null() if one is None else b.column(None, one[0])
        value = convert(value, one[1] if one else '"NULL"', kind)
        query.append("expressions", b.named(value, name))
    query.set("from_", exp.From(this=exp.Subquery(this=part.query, alias=b.alias(queries.fresh()))))
    return query


def _ordered_set(
    queries: Queries, node: Node, made: exp.Query, columns: Columns
) -> tuple[exp.Query, Columns]:
    modifiers = {one["type"]: one for one in node.get("modifiers") or []}
    if "DISTINCT_MODIFIER" in modifiers:
        raise refused("DISTINCT of a set operation", "write it in a subquery")
    if not modifiers:
        return made, columns
    scope = Scope(sources=[Source("", [Column(n, kind, b.column(None, n)) for n, kind in columns])])
    query = exp.Select(expressions=[b.column(None, name) for name, _ in columns])
    query.set("from_", exp.From(this=exp.Subquery(this=made, alias=b.alias(queries.fresh()))))
    order = []
    for key in all_keys(modifiers.get("ORDER_MODIFIER", {}).get("orders") or [], len(columns)):
        at = position(key["expression"])
        if at is not None:
            value: exp.Expr = b.column(None, columns[at][0])
        else:
            value = queries.rewriter.rewrite(key["expression"], scope)
        order.append(sorted_by(value, key))
    put_order(query, order, modifiers)
    return query, columns


def _column(part: Lowered, name: str, at: int, *, by_name: bool) -> tuple[str, str] | None:
    if not by_name:
        if at >= len(part.columns):
            raise refused("A set operation of queries with different numbers of columns")
        return part.columns[at]
    return next((one for one in part.columns if one[0].lower() == name.lower()), None)


def _all_names(parts: list[Lowered]) -> list[str]:
    names: dict[str, str] = {}
    for part in parts:
        for name, _ in part.columns:
            names.setdefault(name.lower(), name)
    return list(names.values())
