"""GROUP BY: by names, positions, ALL, and sets of groups."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark.duck import Node
from catalog.spark.expressions import Rewriter
from catalog.spark.nodes import constant
from catalog.spark.refuse import refused
from catalog.spark.rewrite_aggregates import AGGREGATES
from catalog.spark.scopes import Scope
from catalog.spark.stars import Item


def holds_aggregate(node: Any) -> bool:
    """Whether an expression, or anything in it but a query of its own, is an aggregate."""
    if isinstance(node, list):
        return any(holds_aggregate(one) for one in node)
    if not isinstance(node, dict) or node.get("class") == "SUBQUERY":
        return False
    if node.get("type") in ("SUBQUERY", "SELECT_NODE") and "select_list" not in node:
        return False
    if "select_list" in node:
        return holds_aggregate([node["select_list"], node.get("having")]) or bool(
            node.get("group_expressions")
        )
    if node.get("class") == "FUNCTION" and node["function_name"].lower() in AGGREGATES:
        return True
    return holds_aggregate(list(node.values()))


def expand_groups(
    node: Node, items: list[Item], scope: Scope, rewriter: Rewriter
) -> exp.Group | None:
    """
    Return the GROUP BY of a SELECT, every key written out.

    Raises:
        QueryError: with the name of what cannot be translated.
    """
    if node.get("aggregate_handling") == "FORCE_AGGREGATES":
        keys = [one.node for one in items if not holds_aggregate(one.node)]
        sets = None
    else:
        keys = [_key(one, items) for one in node.get("group_expressions") or []]
        sets = node.get("group_sets")
    if not keys:
        return None
    written = []
    for key in keys:
        value = rewriter.rewrite(key, scope)
        # A number would be taken for a position.
        known = constant(key)
        written.append(b.cast(value, "STRING") if known is not None else value)
    if not sets or (len(sets) == 1 and len(sets[0]) == len(written)):
        return exp.Group(expressions=written)
    if len(keys) != len({key.sql() for key in written}):
        raise refused("GROUPING SETS of a key that is there twice")
    parts = [exp.Tuple(expressions=[written[at].copy() for at in one]) for one in sets]
    return exp.Group(grouping_sets=[exp.GroupingSets(expressions=parts)])


def _key(node: Node, items: list[Item]) -> Node:
    known = constant(node)
    if isinstance(known, int) and not isinstance(known, bool):
        return items[known - 1].node
    return node
