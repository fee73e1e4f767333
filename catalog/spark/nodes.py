"""What the nodes of DuckDB's tree hold: arguments, names of a lambda, constants."""

from __future__ import annotations

from catalog.spark.duck import Node


def arguments(node: Node) -> list[Node]:
    """Return what a call is given."""
    return [one["expression"] for one in node.get("arguments") or []]


def lambda_names(node: Node) -> list[str]:
    """Return the names that a lambda binds."""
    left = node["lhs"]
    if left["class"] == "COLUMN_REF":
        return [left["column_names"][-1]]
    return [one["column_names"][-1] for one in arguments(left)]


def constant(node: Node) -> str | int | float | bool | None:
    """Return the value of a constant that stands in the query, None for everything else."""
    if node["class"] == "FUNCTION" and node["function_name"] == "-" and len(arguments(node)) == 1:
        inner = constant(arguments(node)[0])
        return -inner if isinstance(inner, int | float) else None
    if node["class"] != "CONSTANT":
        return None
    literal = node["literal"]
    kind, text = literal["kind"], literal.get("text", "")
    if kind == "STRING":
        return str(text)
    if kind == "INTEGER":
        return int(text.replace("_", ""))
    if kind == "NUMERIC":
        return float(text.replace("_", ""))
    if kind == "BOOLEAN":
        return str(text).lower() == "true"
    return None


def is_null(node: Node) -> bool:
    """Whether it is the word NULL."""
    return bool(node["class"] == "CONSTANT" and node["literal"]["kind"] == "NULL_LITERAL")
