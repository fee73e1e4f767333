"""What a strategy is made of, and which strategies are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.query.rows import read_rows
from catalog.query.show import find_strategy
from catalog.statements import statement
from catalog.store.database import reading


@dataclass(frozen=True)
class Node:
    """A strategy in a tree: how it got there (role and weight), and what it is made of."""

    key: str
    strategy_type: str | None
    role: str | None
    weight: float | None
    children: tuple[Node, ...]


@dataclass(frozen=True)
class Lineage:
    """A strategy as a tree of what it is made of, and the strategies that use it, nearest first."""

    tree: Node
    users: tuple[tuple[str, str | None, int], ...]
    """strategy_key, type, and how many steps up."""


def read_lineage(catalog: Path, reference: str) -> Lineage:
    """
    Return what a strategy is made of and who uses it.

    Args:
        reference: as for `show`.

    Raises:
        QueryError: nothing goes by that name, or several strategies do.
        StoreError: the catalog cannot be used.
    """
    with reading(catalog) as con:
        key = find_strategy(con, reference)
        values = {"strategy_key": key}
        edges: dict[str, list[Mapping[str, Any]]] = {}
        rows = read_rows(con, "select_lineage_edges", values)
        for row in rows:
            edges.setdefault(row["parent"], []).append(row)
        ((kind,),) = con.execute(statement("select_strategy_type"), values).fetchall()
        users = con.execute(statement("select_lineage_users"), values).fetchall()
    return Lineage(_node(key, kind, None, None, edges), tuple(users))


def _node(
    key: str,
    kind: str | None,
    role: str | None,
    weight: float | None,
    edges: Mapping[str, list[Mapping[str, Any]]],
) -> Node:
    children = tuple(
        _node(row["child"], row["child_type"], row["role"], row["weight"], edges)
        for row in edges.get(key, ())
    )
    return Node(key, kind, role, weight, children)
