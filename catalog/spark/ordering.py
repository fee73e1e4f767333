"""ORDER BY and LIMIT: by a column of the result, by its position, or by all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark.duck import Node
from catalog.spark.nodes import constant
from catalog.spark.refuse import refused

Key = dict[str, Any]
"""A sort key of DuckDB's tree."""


def direction(key: Key) -> tuple[bool, bool]:
    """Return whether a sort key descends, and whether NULL comes first; else it comes last."""
    descending = key["type"] == "DESCENDING"
    return descending, key["null_order"].replace(" ", "_") == "NULLS_FIRST"


def sorted_by(value: exp.Expr, key: Key) -> exp.Expr:
    """Return a value as the sort key that it is for."""
    descending, nulls_first = direction(key)
    return b.ordered(value, descending=descending, nulls_first=nulls_first)


def all_keys(keys: list[Key], columns: int) -> list[Key]:
    """Return the sort keys, those of ORDER BY ALL one by one."""
    made = []
    for key in keys:
        if key["expression"]["class"] != "STAR":
            made.append(key)
            continue
        for at in range(columns):
            place = {"class": "POSITIONAL_REFERENCE", "type": "POSITIONAL_REFERENCE"}
            made.append({**key, "expression": {**place, "index": at + 1}})
    return made


def position(node: Node) -> int | None:
    """Return which column a sort key means by its number, counted from 0."""
    if node["class"] == "POSITIONAL_REFERENCE":
        return int(node["index"]) - 1
    known = constant(node)
    return known - 1 if isinstance(known, int) and not isinstance(known, bool) else None


def put_order(query: exp.Query, order: list[exp.Expr], modifiers: Mapping[str, Node]) -> None:
    """
    Add ORDER BY, LIMIT and OFFSET to a query.

    Raises:
        QueryError: a limit is a share, or is worked out.
    """
    if order:
        query.set("order", exp.Order(expressions=order))
    limit = modifiers.get("LIMIT_MODIFIER", {})
    if limit.get("limit_type") == "PERCENTAGE" or "LIMIT_PERCENT_MODIFIER" in modifiers:
        raise refused("LIMIT of a share")
    for word, kind in (("limit", exp.Limit), ("offset", exp.Offset)):
        if limit.get(word) is not None:
            count = constant(limit[word])
            if not isinstance(count, int):
                raise refused(f"{word.upper()} of what is no number in the query")
            query.set(word, kind(expression=b.number(count)))
