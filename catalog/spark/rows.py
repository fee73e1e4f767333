"""unnest: one row per element of a list, of several lists side by side, or of each row's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.nodes import arguments
from catalog.spark.refuse import refused
from catalog.spark.repack import Relation, repacked
from catalog.spark.scopes import Scope

if TYPE_CHECKING:
    from catalog.spark.queries import Queries


def unnest_select(
    queries: Queries,
    node: Node,
    scope: Scope,
    relation: Relation | None,
    where: exp.Expr | None,
) -> tuple[Relation | None, exp.Expr | None]:
    """
    Make the rows of the unnest calls in a SELECT list, below it.

    Several lists stand side by side, the shorter ones filled up with NULL.

    Raises:
        QueryError: unnest stands where its rows cannot be made below.
    """
    from catalog.spark.grouping import holds_aggregate

    calls = _find(node["select_list"])
    if not calls:
        return relation, where
    if holds_aggregate(node):
        raise refused("unnest beside an aggregate", "write it in a subquery")
    lists = []
    for call in calls:
        given = arguments(call)
        if len(given) != 1 or not t.is_list(queries.rewriter.type_of(given[0], scope)):
            raise refused("unnest of anything but a list")
        lists.append(queries.rewriter.rewrite(given[0], scope))
    generated = {queries.fresh(): one for one in lists}
    if len(lists) == 1:
        (name,) = generated
        made = repacked(queries, relation, scope, where, {name: b.call("explode", lists[0])})
        scope.generated[id(calls[0])] = b.column(made.alias, name)
        return made, None
    inner = repacked(queries, relation, scope, where, generated)
    sizes = [
        b.call("coalesce", b.call("size", b.column(inner.alias, name)), b.number(0))
        for name in generated
    ]
    longest = b.call("greatest", *sizes)
    some = exp.GT(this=longest, expression=b.number(0))
    numbers = b.when((some, b.call("sequence", b.number(1), longest.copy())))
    index = queries.fresh()
    lists_of = {name: b.column(inner.alias, name) for name in generated}
    outer = repacked(queries, inner, scope, None, {index: b.call("explode", numbers), **lists_of})
    for call, name in zip(calls, generated, strict=True):
        element = b.call(
            "try_element_at", b.column(outer.alias, name), b.column(outer.alias, index)
        )
        scope.generated[id(call)] = element
    return outer, None


def _find(node: Any) -> list[Node]:
    if isinstance(node, list):
        return [found for one in node for found in _find(one)]
    if not isinstance(node, dict) or node.get("class") == "SUBQUERY":
        return []
    if node.get("class") == "FUNCTION" and node["function_name"].lower() == "unnest":
        return [node]
    return _find(list(node.values()))
