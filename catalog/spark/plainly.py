"""One way to write a thing: calls behind a dot, and the arrow that is no lambda."""

from __future__ import annotations

from typing import Any, Final

from catalog.spark.duck import Node

_TAKE_LAMBDAS: Final = frozenset(
    f"{kind}_{verb}"
    for kind in ("list", "array")
    for verb in ("transform", "apply", "filter", "reduce")
) | {"apply", "filter", "reduce"}


def plainly(tree: Any) -> Any:
    """
    Return DuckDB's tree of a query with one form for what it has two for.

    `x.lower()` is lower(x). To DuckDB's parser an arrow behind a name begins a lambda, and only
    its binder takes it for a step into a JSON document.
    """
    if isinstance(tree, list):
        return [plainly(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("class") == "LAMBDA" and tree["syntax_type"] == "SINGLE_ARROW":
        steps = [plainly(tree["lhs"]), plainly(tree["expr"])]
        return {**_call("->", steps), "alias": tree.get("alias", ""), "is_operator": True}
    if tree.get("class") != "FUNCTION":
        return {key: plainly(value) for key, value in tree.items()}
    name, path = tree["function_name"].lower(), tree["qualified_name"]["path"]
    made = {key: plainly(value) for key, value in tree.items() if key != "arguments"}
    made["arguments"] = [
        {**one, "expression": _argument(one["expression"], is_lambda=name in _TAKE_LAMBDAS and at)}
        for at, one in enumerate(tree["arguments"])
    ]
    if len(path) > 1 and path[:-1] != ["main"]:
        first = {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "",
                 "column_names": path[:-1]}  # fmt: skip
        made["arguments"].insert(0, {"name": "", "expression": first})
    made["qualified_name"], made["schema"] = {"path": path[-1:]}, ""
    return made


def _argument(node: Node, *, is_lambda: object) -> Any:
    if is_lambda and node["class"] == "LAMBDA":
        return {key: plainly(value) for key, value in node.items()}
    return plainly(node)


def _call(name: str, given: list[Node]) -> Node:
    return {
        "class": "FUNCTION", "type": "FUNCTION", "function_name": name, "schema": "",
        "filter": None, "order_bys": {"type": "ORDER_MODIFIER", "orders": []}, "distinct": False,
        "arguments": [{"name": "", "expression": one} for one in given],
        "qualified_name": {"path": [name]},
    }  # fmt: skip
