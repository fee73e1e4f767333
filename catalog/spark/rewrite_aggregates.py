"""Aggregates: NULLs are kept in lists, orders inside them hold, and few values make NULL or NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.expressions import Call, rewrites
from catalog.spark.nodes import arguments
from catalog.spark.ordering import direction
from catalog.spark.refuse import refused
from catalog.spark.rewrite_casts import convert, typed

Seal = Callable[[exp.Expr], exp.Expr]
"""Adds FILTER or OVER to Spark's aggregate, which may stand inside an expression."""
Rule = Callable[[Call, Seal], exp.Expr]
AGGREGATES: Final[dict[str, Rule]] = {}
"""The rules by the DuckDB aggregate's name; windows use them too."""


def aggregate(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for aggregates, which where they are no windows may have a FILTER."""

    def register(rule: Rule) -> Rule:
        for name in names:
            AGGREGATES[name] = rule
        rewrites(*names)(lambda call: rule(call, _filtering(call)))
        return rule

    return register


def _filtering(call: Call, *more: exp.Expr) -> Seal:
    conditions = list(more)
    if node := call.node.get("filter"):
        conditions.insert(0, call.rewriter.cast_to(node, "BOOLEAN", call.scope))

    def seal(made: exp.Expr) -> exp.Expr:
        if not conditions:
            return made
        where = exp.Where(this=b.both(*conditions) if len(conditions) > 1 else conditions[0])
        return exp.Filter(this=made, expression=where)

    return seal


def orders(call: Call) -> list[dict[str, Any]]:
    """Return the sort keys inside an aggregate."""
    return (call.node.get("order_bys") or {}).get("orders") or []


def takes(call: Call, count: int = 1) -> None:
    """Refuse more arguments than a rule knows."""
    if call.count != count:
        raise call.refuse(f"with {call.count} arguments")


def _maybe_distinct(call: Call, value: exp.Expr) -> exp.Expr:
    return exp.Distinct(expressions=[value]) if call.node.get("distinct") else value


def not_distinct(call: Call) -> None:
    if call.node.get("distinct"):
        raise call.refuse("with DISTINCT")


@aggregate("count", "count_star")
def rewrite_count(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite counts."""
    if not call.count:
        return seal(b.call("count", exp.Star()))
    takes(call)
    node = call.nodes[0]
    if node["class"] == "FUNCTION" and node["function_name"] == "row" and call.node.get("distinct"):
        # A row is never NULL, whatever is in it.
        parts = [call.rewriter.rewrite(one, call.scope) for one in arguments(node)]
        return seal(b.call("count", exp.Distinct(expressions=[b.call("struct", *parts)])))
    value = call.arg(0)
    if call.node.get("distinct") and call.type(0) in t.FLOATS:
        # Sail would count zeros of either sign.
        value = b.steady(b.add(value, b.cast(b.number(0), "DOUBLE")))
    return seal(b.call("count", _maybe_distinct(call, value)))


@aggregate("count_if", "countif")
def rewrite_count_if(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite how often a condition holds, NULL where it is never known."""
    not_distinct(call)
    holds = call.arg_as(0, "BOOLEAN")
    one = b.when((holds, b.number(1)), (b.negate(holds.copy()), b.number(0)))
    return convert(seal(b.call("sum", one)), "BIGINT", call.result)


@aggregate("sum", "fsum", "kahan_sum", "sumkahan")
def rewrite_sum(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite sums: of integers in 38 digits, which 64 bits would not hold."""
    takes(call)
    result = call.result
    if not t.is_number(result):
        raise call.refuse(f"of {call.type(0)}")
    if result == "HUGEINT" and call.type(0) == "BOOLEAN":
        value = convert(call.arg(0), "BOOLEAN", "INTEGER")
    else:
        value = call.arg_as(0, result)
    if result == "HUGEINT":
        value = b.cast(value, "DECIMAL(38, 0)") if call.type(0) == "BOOLEAN" else value
    made = seal(b.call("sum", _maybe_distinct(call, value)))
    return made if result in ("HUGEINT", "DOUBLE") else typed(made, result)


@aggregate("avg", "mean", "favg")
def rewrite_avg(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite means, which are of DOUBLE."""
    takes(call)
    if call.result != "DOUBLE":
        raise call.refuse(f"of {call.type(0)}")
    return seal(b.call("avg", _maybe_distinct(call, call.arg_as(0, "DOUBLE"))))


@aggregate("min", "max")
def rewrite_min(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the least and the greatest."""
    takes(call)
    if t.is_nested(call.type(0)):
        raise call.refuse(f"of {call.type(0)}")
    value = call.arg(0)
    if call.type(0) not in t.FLOATS:
        return seal(b.call(call.name, value))
    # NaN is above all, which Sail loses sight of in groups.
    is_nan = b.call("isnan", value)
    if call.name == "max":
        nan = seal(b.call("max", b.when((is_nan, value.copy()))))
        return b.call("coalesce", nan, seal(b.call("max", value.copy())))
    number = seal(b.call("min", b.when((b.negate(is_nan), value.copy()))))
    return b.call("coalesce", number, seal(b.call("max", value.copy())))


@aggregate("bool_and", "bool_or", "bit_and", "bit_or", "bit_xor")
def rewrite_bools(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite what holds for all or for any."""
    takes(call)
    kind = "BOOLEAN" if call.name.startswith("bool") else call.type(0)
    if kind != "BOOLEAN" and kind not in ("INTEGER", "BIGINT"):
        raise call.refuse(f"of {kind}")
    return seal(b.call(call.name, call.arg_as(0, kind)))


def _collected(call: Call, seal: Seal, value: exp.Expr, keys: Sequence[dict[str, Any]]) -> exp.Expr:
    """Return the list of structs of keys and value, one a row, in order."""
    parts: dict[str, exp.Expr] = {}
    for at, key in enumerate(keys):
        parts[f"k{at}"] = call.rewriter.rewrite(key["expression"], call.scope)
    parts["v"] = value
    collected = seal(b.call("collect_list", b.struct(**parts)))
    if not keys:
        return collected
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    for at, key in enumerate(keys):
        left, right = (b.field(b.name(one), f"k{at}") for one in ("_l", "_r"))
        descending, nulls_first = direction(key)
        both = b.both(b.is_null(left.copy()), b.is_not_null(right.copy()))
        other = b.both(b.is_not_null(left.copy()), b.is_null(right.copy()))
        before, after = b.number(-1), b.number(1)
        branches += [
            (both, (before if nulls_first else after).copy()),
            (other, (after if nulls_first else before).copy()),
            (
                exp.LT(this=left.copy(), expression=right.copy()),
                (after if descending else before).copy(),
            ),
            (exp.GT(this=left, expression=right), (before if descending else after).copy()),
        ]
    compare = b.when(*branches, default=b.number(0))
    return b.call("array_sort", collected, b.arrow(compare, "_l", "_r"))


def not_empty(values: exp.Expr, made: exp.Expr) -> exp.Expr:
    some = exp.GT(this=b.call("size", values.copy()), expression=b.number(0))
    return b.when((some, made))


def _values(rows: exp.Expr) -> exp.Expr:
    return b.each(rows, b.field(b.name("_e"), "v"), "_e")


@aggregate("list", "array_agg")
def rewrite_list(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite a list of all values, NULLs among them; of no rows it is NULL."""
    takes(call)
    rows = _collected(call, seal, call.arg(0), orders(call))
    if call.node.get("distinct"):
        if orders(call):
            raise call.refuse("with DISTINCT and ORDER BY")
        return not_empty(rows, b.call("array_distinct", _values(rows)))
    return not_empty(rows, _values(rows))


@aggregate("string_agg", "group_concat", "listagg")
def rewrite_string_agg(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite texts joined to one; NULLs are passed over, and of none it is NULL."""
    not_distinct(call)
    separator = call.literal(1, "the separator") if call.count > 1 else ","
    rows = _collected(call, seal, call.arg_as(0, "VARCHAR"), orders(call))
    there = b.each(rows, b.is_not_null(b.field(b.name("_e"), "v")), "_e", function="filter")
    return not_empty(there, b.call("array_join", _values(there), b.text(separator)))


@aggregate("first", "last", "any_value", "arbitrary")
def rewrite_first(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the first or last value in an order; any_value passes over NULL."""
    takes(call)
    not_distinct(call)
    if not orders(call):
        name = {"arbitrary": "first"}.get(call.name, call.name)
        if call.name == "any_value":
            return seal(b.call("first", call.arg(0), exp.Boolean(this=True)))
        return seal(b.call(name, call.arg(0)))
    rows = _collected(call, seal, call.arg(0), orders(call))
    if call.name == "any_value":
        rows = b.each(rows, b.is_not_null(b.field(b.name("_e"), "v")), "_e", function="filter")
    at = b.number(-1 if call.name == "last" else 1)
    return b.field(b.call("try_element_at", rows, at), "v")


@aggregate("arg_max", "argmax", "max_by", "arg_min", "argmin", "min_by", "arg_max_null",
           "arg_min_null")  # fmt: skip
def rewrite_arg_max(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the value where another is greatest; a row with a NULL does not count."""
    takes(call, 2)
    if orders(call) or call.node.get("distinct"):
        raise call.refuse("with DISTINCT or ORDER BY")
    name = "max_by" if "max" in call.name else "min_by"
    value, key = call.arg(0), call.arg(1)
    if call.name.endswith("_null"):
        return seal(b.call(name, value, key))
    # Where the value is NULL the key is made so: such a row is passed over.
    key = b.when((b.is_not_null(value.copy()), key))
    return seal(b.call(name, value, key))


def check_known(name: str) -> None:
    """
    Refuse an aggregate that has no rule.

    Raises:
        QueryError: it has none.
    """
    if name not in AGGREGATES:
        raise refused(f"The window function {name}")
