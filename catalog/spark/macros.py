"""Our own macros, expanded, and parameters, written in: what is translated has neither."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from functools import cache
from typing import Any

from catalog.errors import QueryError
from catalog.spark.duck import Duck, Node
from catalog.spark.functions import REFUSED
from catalog.spark.refuse import refused
from catalog.statements import statement

MACROS = ("total_return", "annual_return", "volatility", "sharpe", "sortino", "hit_rate",
          "profit_factor")  # fmt: skip
TABLE_MACROS = ("agreement", "dense_signal", "holdings_at", "last_signals")
_HEAD = re.compile(r"create or replace macro (\w+)\((.*?)\)\s+as\s+(table\b)?", re.DOTALL)


def written_in(duck: Duck, tree: Node, params: Mapping[str, object]) -> Node:
    """
    Return a tree whose parameters are constants.

    Raises:
        QueryError: a parameter has no value, or one that SQL has no constant for.
    """

    def replace(node: Node) -> Node | None:
        if node.get("class") != "PARAMETER":
            return None
        name = node["identifier"]
        if name not in params:
            raise QueryError(f"The parameter ${name} has no value", hint=f"Pass {name}=…")
        return _expression(duck, _literal(params[name], name))

    made: Node = _mapped(tree, replace)
    return made


def _literal(value: object, name: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, float):
        return f"cast('{value!r}' as double)"
    if isinstance(value, str):
        doubled = value.replace("'", "''")
        return f"'{doubled}'"
    if isinstance(value, dt.datetime):
        kind = "timestamptz" if value.tzinfo else "timestamp"
        return f"cast('{value.isoformat(' ')}' as {kind})"
    if isinstance(value, dt.date):
        return f"cast('{value.isoformat()}' as date)"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(one, name) for one in value) + "]"
    raise QueryError(f"The parameter ${name} is a {type(value).__name__}, which SQL has none of")


def _expression(duck: Duck, text: str) -> Node:
    node: Node = duck.tree(f"select {text}")["select_list"][0]
    return node


def expanded(duck: Duck, tree: Node) -> Node:
    """
    Return a tree in which calls of our macros are what they stand for.

    Raises:
        QueryError: a macro is called with other arguments than it has.
    """

    def replace(node: Node) -> Node | None:
        if node.get("type") == "SELECT_NODE" and any(_unnamed(node)):
            return expanded(duck, _with_names(duck, node))
        if node.get("class") == "FUNCTION" and node["function_name"].lower() in MACROS:
            names, body, _ = _macro(node["function_name"].lower())
            given = _given(node, names, duck)
            made = _substituted(_expression(duck, body), given)
            return {**expanded(duck, made), "alias": node.get("alias", "")}
        if node.get("type") == "TABLE_FUNCTION":
            name = node["function"]["function_name"].lower()
            if name in TABLE_MACROS:
                names, body, _ = _macro(name)
                given = _given(node["function"], names, duck)
                inner = expanded(duck, _substituted(duck.tree(body), given))
                return {
                    "type": "SUBQUERY", "alias": node.get("alias") or name, "sample": None,
                    "subquery": {"node": inner, "named_param_map": []},
                    "column_name_alias": node.get("column_name_alias") or [],
                }  # fmt: skip
            if name in REFUSED:
                raise refused(f"The function {name}", REFUSED[name])
        return None

    made: Node = _mapped(tree, replace)
    return made


def _unnamed(node: Node) -> Iterator[Node]:
    """Yield the columns of a SELECT without a name that call a macro."""
    for item in node["select_list"]:
        if not item.get("alias") and item["class"] != "STAR" and _calls_macro(item):
            yield item


def _calls_macro(tree: Any) -> bool:
    if isinstance(tree, list):
        return any(map(_calls_macro, tree))
    if not isinstance(tree, dict) or tree.get("class") == "SUBQUERY":
        return False
    is_macro = tree.get("class") == "FUNCTION" and tree["function_name"].lower() in MACROS
    return is_macro or any(map(_calls_macro, tree.values()))


def _with_names(duck: Duck, node: Node) -> Node:
    """Return a SELECT whose columns are named by the macros that they call, as DuckDB does."""
    unnamed = [id(one) for one in _unnamed(node)]
    items = [
        {**one, "alias": duck.expression_text(one)} if id(one) in unnamed else one
        for one in node["select_list"]
    ]
    return {**node, "select_list": items}


@cache
def _macro(name: str) -> tuple[tuple[tuple[str, str | None], ...], str, bool]:
    """Return the parameters of a macro with their defaults, its body, and whether it makes rows."""
    text = re.sub(r"^\s*--.*$", "", statement(f"macro_{name}"), flags=re.MULTILINE)
    head = _HEAD.search(text)
    if head is None:
        raise ValueError(f"sql/macro_{name}.sql is no macro")
    parts = [one.strip() for one in head[2].split(",") if one.strip()]
    names = []
    for part in parts:
        parameter, _, default = part.partition(":=")
        names.append((parameter.strip(), default.strip() or None))
    return tuple(names), text[head.end() :].strip().rstrip(";"), bool(head[3])


def _given(node: Node, names: tuple[tuple[str, str | None], ...], duck: Duck) -> dict[str, Node]:
    named = {one["name"].lower(): one["expression"] for one in node["arguments"] if one["name"]}
    plain = [one["expression"] for one in node["arguments"] if not one["name"]]
    if len(plain) > len(names) or set(named) - {name for name, _ in names}:
        raise QueryError(f"{node['function_name']} is called with other arguments than it has")
    given = dict(zip((name for name, _ in names), plain, strict=False)) | named
    for name, default in names:
        if name in given:
            continue
        if default is None:
            raise QueryError(f"{node['function_name']} needs its argument {name}")
        given[name] = _expression(duck, default)
    for name, value in given.items():
        given[name] = expanded(duck, value)
    return given


def _substituted(body: Node, given: Mapping[str, Node]) -> Node:
    def replace(node: Node) -> Node | None:
        if node.get("class") != "COLUMN_REF" or len(node["column_names"]) != 1:
            return None
        value = given.get(node["column_names"][0].lower())
        return None if value is None else {**deepcopy(value), "alias": node.get("alias", "")}

    made: Node = _mapped(body, replace)
    return made


def _mapped(tree: Any, replace: Callable[[Node], Node | None]) -> Any:
    if isinstance(tree, list):
        return [_mapped(one, replace) for one in tree]
    if not isinstance(tree, dict):
        return tree
    made = replace(tree)
    if made is not None:
        return made
    return {key: _mapped(value, replace) for key, value in tree.items()}
