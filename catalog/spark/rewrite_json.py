"""JSON documents: what a path leads to, as a text, which is what `->>` gives."""

from __future__ import annotations

import re

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark.duck import Node
from catalog.spark.expressions import Call, Rewriter, rewrites
from catalog.spark.nodes import arguments, constant
from catalog.spark.refuse import refused
from catalog.spark.rewrite_casts import convert
from catalog.spark.scopes import Scope

_STEP = re.compile(r'\.([A-Za-z_][A-Za-z0-9_]*|\d+)|\."([^"\'\\]*)"|\[(\d+)\]')
_EXTRACTS = ("->", "->>", "json_extract", "json_extract_string", "json_extract_path",
             "json_extract_path_text")  # fmt: skip


@rewrites("->>", "json_extract_string", "json_extract_path_text")
def rewrite_extract_text(call: Call) -> exp.Expr:
    """Rewrite what a path leads to, as text."""
    return as_text(call.rewriter, call.node, call.scope)


@rewrites("->", "json_extract", "json_extract_path")
def rewrite_extract(call: Call) -> exp.Expr:
    """Refuse a document inside a document where it is not read further."""
    raise refused(
        f"The operator {call.name} as a value",
        "Spark cannot keep the quotes of a text in a document",
        hint="Take ->> for the text itself, or cast what -> gives to a number",
    )


def as_text(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Return what a chain of `->` and `->>` leads to, as text."""
    steps: list[str] = []
    while node["class"] == "FUNCTION" and node["function_name"] in _EXTRACTS:
        if steps and node["function_name"] not in ("->", "json_extract", "json_extract_path"):
            break
        inner, path = arguments(node)
        steps.insert(0, _path(rewriter, path))
        node = inner
    return b.call("get_json_object", rewriter.rewrite(node, scope), b.text("$" + "".join(steps)))


def _path(rewriter: Rewriter, node: Node) -> str:
    """Return a step into a document as Spark writes it, without the `$`."""
    known = constant(node)
    if known is None and is_constant(node):
        known = rewriter.duck.value(rewriter.duck.expression_text(node))
    if isinstance(known, int) and not isinstance(known, bool) and known >= 0:
        return f"[{known}]"
    if not isinstance(known, str) or known.startswith("/"):
        raise refused("A JSON path that does not stand in the query as $.a.b")
    if not known.startswith("$"):
        return _key(known)
    rest, written = known[1:], ""
    while rest:
        step = _STEP.match(rest)
        if step is None:
            raise refused(f"The JSON path {known}", "it may hold keys and positions only")
        plain, quoted, index = step.groups()
        written += f"[{index}]" if index is not None else _key(plain if plain else quoted)
        rest = rest[step.end() :]
    return written


def _key(name: str) -> str:
    if not name:
        raise refused("An empty JSON key")
    if re.fullmatch(r"[A-Za-z0-9_]+", name):
        return f".{name}"
    if re.search(r"['\\\]\[*]", name):
        raise refused(f"The JSON key {name}")
    return f"['{name}']"


def is_constant(node: Node) -> bool:
    """Whether an expression is made of constants and `||` only."""
    if node["class"] == "CONSTANT":
        return True
    is_joined = node["class"] == "FUNCTION" and node["function_name"] in ("||", "concat", "-")
    if node["class"] == "CAST":
        return is_constant(node["child"])
    return is_joined and all(is_constant(one) for one in arguments(node))


@rewrites("json_valid")
def rewrite_valid(call: Call) -> exp.Expr:
    """Refuse to tell whether a text is a document: the engines take others for one."""
    raise call.refuse("the engines take other texts for a document")


@rewrites("json_array_length")
def rewrite_array_length(call: Call) -> exp.Expr:
    """Rewrite how many elements a document's list has."""
    if call.count != 1:
        raise call.refuse("with a path")
    node = call.nodes[0]
    is_step = node["class"] == "FUNCTION" and node["function_name"] in _EXTRACTS
    document = as_text(call.rewriter, node, call.scope) if is_step else call.arg(0)
    length = b.call("json_array_length", document)
    # Sail counts the keys of a document that is no list.
    is_list = exp.Like(this=b.call("ltrim", document.copy()), expression=b.text("[%"))
    none = (b.is_not_null(document.copy()), b.number(0))
    return convert(b.when((is_list, length), none), "INTEGER", call.result)


@rewrites("json")
def rewrite_json(call: Call) -> exp.Expr:
    """Refuse to write a document anew."""
    raise call.refuse("the engines write it otherwise")
