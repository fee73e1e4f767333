"""What `*`, EXCLUDE, REPLACE and COLUMNS(…) stand for: one item a column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catalog.spark.duck import Duck, Node
from catalog.spark.nodes import constant
from catalog.spark.refuse import refused
from catalog.spark.scopes import Column, Scope


@dataclass(frozen=True)
class Item:
    """An expression of a SELECT list with the name of its column."""

    name: str
    node: Node
    is_named: bool


def expand_stars(duck: Duck, select_list: list[Node], scope: Scope) -> list[Item]:
    """
    Return the items of a SELECT list, each with its name.

    Raises:
        QueryError: a star holds what is not known here.
    """
    items: list[Item] = []
    for node in select_list:
        if node["class"] == "STAR" and not node.get("columns"):
            items += _star(node, scope)
        elif (star := _find_star(node)) is not None:
            for item in _star(star, scope):
                made = _with(node, star, item.node)
                name = item.name if node is star else duck.expression_text(made)
                items.append(Item(node.get("alias") or name, made, is_named=False))
        else:
            named = bool(node.get("alias"))
            items.append(Item(node.get("alias") or _name(duck, node, scope), node, is_named=named))
    return items


def _name(duck: Duck, node: Node, scope: Scope) -> str:
    if node["class"] == "COLUMN_REF":
        found = scope.find(node["column_names"])
        if found is not None and not found[1]:
            return found[0].name
        return str(node["column_names"][-1])
    return duck.expression_text(node)


def _find_star(node: Any) -> Node | None:
    if isinstance(node, list):
        return next((found for one in node if (found := _find_star(one)) is not None), None)
    if not isinstance(node, dict) or node.get("class") == "SUBQUERY":
        return None
    if node.get("class") == "STAR":
        return node
    return _find_star(list(node.values()))


def _with(node: Any, star: Node, column: Node) -> Any:
    if node is star:
        return column
    if isinstance(node, list):
        return [_with(one, star, column) for one in node]
    if isinstance(node, dict):
        return {key: _with(value, star, column) for key, value in node.items()}
    return node


def _star(node: Node, scope: Scope) -> Iterator[Item]:
    if node.get("qualified_exclude_list") or node.get("rename_list"):
        raise refused("RENAME or a qualified name in a star")
    excluded = {_plain(one).lower() for one in node.get("exclude_list") or []}
    replaced = {one["key"].lower(): one["value"] for one in node.get("replace_list") or []}
    pattern = ""
    if node.get("columns") and node.get("expr"):
        known = constant(node["expr"])
        if not isinstance(known, str):
            raise refused("COLUMNS(…) of anything but * or a pattern")
        pattern = known
    relation = node.get("relation_name")
    if relation:
        source = scope.named(relation)
        if source is None:
            raise refused(f"The star {relation}.*", "there is no such relation in the query")
        columns: list[Column] = list(source.columns)
    else:
        columns = list(scope.visible())
    for column in columns:
        name = column.name
        if name.lower() in excluded:
            continue
        if not re.search(pattern, name):
            continue
        if name.lower() in replaced:
            yield Item(name, replaced[name.lower()], is_named=False)
            continue
        key = f"__star_{len(scope.lambdas)}"
        scope.lambdas[key] = column
        yield Item(name, {"class": "COLUMN_REF", "type": "COLUMN_REF", "column_names": [key],
                          "alias": ""}, is_named=False)  # fmt: skip


def _plain(one: Any) -> str:
    if isinstance(one, dict):
        return str(one.get("column") or one.get("name"))
    return str(one)
