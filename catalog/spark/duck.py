"""A private, empty DuckDB that understands the user's SQL: its syntax tree, its types and names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from catalog.errors import QueryError
from catalog.query.guard import own_tree

Node = dict[str, Any]
"""A node of DuckDB's own syntax tree."""

_PLACE = re.compile(r"__type_(\d+)__")


class Duck:
    """DuckDB with the columns that a query may name, and no row: it is asked, nothing is run."""

    def __init__(self, columns: Mapping[str, Mapping[str, str]]) -> None:
        self.con = duckdb.connect()
        self.con.execute("set timezone = 'UTC'")
        self._numbers: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._columns = {relation.lower(): (relation, types) for relation, types in columns.items()}
        # What looks like a file or a Python variable is none: binding a query reads nothing.
        self.con.execute("set python_enable_replacements = false")
        self.con.execute("set enable_external_access = false")

    def know(self, tree: Any) -> None:
        """Make the relations that a query names, without a row."""
        for relation in {one.lower() for one in _relations(tree)} & self._columns.keys():
            name, types = self._columns[relation]
            parts = ", ".join(f"{_quoted(column)} {kind}" for column, kind in types.items())
            self.con.execute(f"create table if not exists {_quoted(name)} ({parts})")

    def close(self) -> None:
        """End it."""
        self.con.close()

    def tree(self, text: str) -> Node:
        """
        Return the syntax tree of a query.

        Raises:
            QueryError: DuckDB has no tree to show of it.
        """
        statements = own_tree(self.con, text)
        if statements is None:
            raise QueryError(
                "This kind of statement does not run on Spark", hint="Write it as one SELECT"
            )
        node: Node = statements[0]["node"]
        return node

    def text(self, node: Node) -> str:
        """Return the SQL of a query's tree."""
        tree = {"error": False, "statements": [{"node": node}]}
        query = "select json_deserialize_sql($tree::json)"
        ((text,),) = self.con.execute(query, {"tree": json.dumps(tree)}).fetchall()
        return str(text)

    def expression_text(self, node: Node) -> str:
        """Return the SQL of one expression, which is also how DuckDB names its column."""
        return self.text(_selecting([node])).removeprefix("SELECT ")

    def describe(self, node: Node) -> list[tuple[str, str]]:
        """
        Return the names and types of a query's columns.

        Raises:
            QueryError: DuckDB refuses the query.
        """
        try:
            rows = self.con.execute(f"describe {self.text(node)}").fetchall()
        except duckdb.Error as error:
            raise QueryError(str(error).strip(), hint="Check the SQL") from error
        return [(name, kind) for name, kind, *_ in rows]

    def place(self, kind: str) -> Node:
        """Return an expression that stands for any value of a type, in `type_of`."""
        number = self._numbers.setdefault(kind, len(self._numbers))
        name = f"__type_{number}__"
        return {"class": "COLUMN_REF", "type": "COLUMN_REF", "column_names": [name]}

    def type_of(self, node: Node) -> str:
        """Return the type of an expression that names no column but `place`s."""
        kinds = list(self._numbers)
        if node["class"] == "COLUMN_REF" and (found := _PLACE.fullmatch(node["column_names"][0])):
            return kinds[int(found[1])]
        # Where a part stands in the query makes no other type of it.
        written = json.dumps(_unplaced(node))
        if written not in self._known:
            text = self.expression_text(node)
            typed = _PLACE.sub(lambda found: f"(null::{kinds[int(found[1])]})", text)
            try:
                ((_, kind, *_),) = self.con.execute(f"describe select {typed}").fetchall()
            except duckdb.Error as error:
                raise QueryError(str(error).strip(), hint="Check the SQL") from error
            self._known[written] = kind
        return self._known[written]

    def value(self, text: str) -> Any:
        """Return what an expression of constants is."""
        try:
            ((value,),) = self.con.execute(f"select {text}").fetchall()
        except duckdb.Error as error:
            raise QueryError(str(error).strip(), hint="Check the SQL") from error
        return value


def _unplaced(node: Any) -> Any:
    if isinstance(node, list):
        return [_unplaced(one) for one in node]
    if isinstance(node, dict):
        return {key: _unplaced(one) for key, one in node.items() if key != "query_location"}
    return node


def _selecting(expressions: list[Node]) -> Node:
    return {
        "type": "SELECT_NODE",
        "cte_map": {"map": []},
        "select_list": expressions,
        "from_table": {"type": "EMPTY"},
        "aggregate_handling": "STANDARD_HANDLING",
    }


def _relations(tree: Any) -> Iterator[str]:
    """Yield the names of all relations in a tree."""
    if isinstance(tree, dict) and tree.get("type") == "BASE_TABLE":
        yield tree["table_name"]
    elif isinstance(tree, dict | list):
        for one in tree.values() if isinstance(tree, dict) else tree:
            yield from _relations(one)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
