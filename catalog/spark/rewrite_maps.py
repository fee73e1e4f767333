"""Structs and maps."""

from __future__ import annotations

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.expressions import Call, rewrites
from catalog.spark.rewrite_casts import typed
from catalog.spark.rewrite_lists import extract


@rewrites("struct_pack")
def rewrite_struct_pack(call: Call) -> exp.Expr:
    """Rewrite a struct."""
    parts = []
    for one in call.node["arguments"]:
        parts += [b.text(one["name"]), call.rewriter.rewrite(one["expression"], call.scope)]
    return b.call("named_struct", *parts)


@rewrites("struct_extract")
def rewrite_struct_extract(call: Call) -> exp.Expr:
    """Rewrite a field of a struct."""
    return b.field(call.arg(0), call.literal(1, "the field"))


@rewrites("map")
def rewrite_map(call: Call) -> exp.Expr:
    """Rewrite a map from its keys and values."""
    if call.count != 2:
        raise call.refuse("of nothing")
    return b.call("map_from_arrays", call.arg(0), call.arg(1))


@rewrites("cardinality")
def rewrite_cardinality(call: Call) -> exp.Expr:
    """Rewrite how many entries a map has."""
    return b.when((b.is_not_null(call.arg(0)), b.cast(b.call("size", call.arg(0)), "BIGINT")))


@rewrites("map_extract_value")
def rewrite_map_value(call: Call) -> exp.Expr:
    """Rewrite the value of a key, NULL where there is none."""
    return extract(call.rewriter, call.nodes[0], call.nodes[1], call.node, call.scope)


@rewrites("element_at", "map_extract")
def rewrite_map_extract(call: Call) -> exp.Expr:
    """Rewrite the list of the value of a key, which is empty where there is none."""
    if not t.is_map(call.type(0)):
        raise call.refuse(f"of {call.type(0)}")
    found = b.call("map_contains_key", call.arg(0), call.arg(1))
    value = b.call("array", b.call("try_element_at", call.arg(0), call.arg(1)))
    there = b.is_not_null(call.arg(0))
    return b.when((found, value), (there, typed(b.call("array"), call.result)))
