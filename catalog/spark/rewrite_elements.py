"""What lambdas and aggregates make of a list's elements, and lists of numbers."""

from __future__ import annotations

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.expressions import Call, rewrites
from catalog.spark.nodes import lambda_names
from catalog.spark.rewrite_casts import typed
from catalog.spark.rewrite_lists import not_null
from catalog.spark.scopes import Column, Scope


def _lambda(call: Call, number: int, kinds: list[str]) -> tuple[Node, Scope, list[str]]:
    node = call.nodes[number]
    if node["class"] != "LAMBDA":
        raise call.refuse("without a lambda")
    names = lambda_names(node)
    if len(names) > len(kinds):
        raise call.refuse("with so many names in its lambda")
    spark = [f"_{name.lower()}" for name in names]
    if not all(name.isidentifier() for name in spark):
        raise call.refuse("with such names in its lambda")
    bound = {
        name.lower(): Column(name, kind, b.name(short))
        for name, short, kind in zip(names, spark, kinds, strict=False)
    }
    return node["expr"], call.scope.inside_lambda(bound), spark


@rewrites("list_transform", "array_transform", "list_apply", "array_apply", "apply")
def rewrite_transform(call: Call) -> exp.Expr:
    """Rewrite what a lambda makes of every element."""
    body, scope, names = _lambda(call, 1, [t.element(call.type(0)), "BIGINT"])
    if len(names) == 2:
        # DuckDB counts elements from one.
        index = b.add(b.cast(b.name(names[1]), "BIGINT"), b.number(1))
        last = list(scope.lambdas)[-1]
        scope.lambdas[last] = Column(last, "BIGINT", exp.Paren(this=index))
    if t.element(call.result) == '"NULL"':
        raise call.refuse("to NULL")
    made = call.rewriter.cast_to(body, t.element(call.result), scope)
    return b.each(call.arg(0), made, *names)


@rewrites("list_filter", "array_filter", "filter")
def rewrite_filter(call: Call) -> exp.Expr:
    """Rewrite the elements that a lambda is true for."""
    body, scope, names = _lambda(call, 1, [t.element(call.type(0))])
    made = call.rewriter.cast_to(body, "BOOLEAN", scope)
    return b.each(call.arg(0), made, *names, function="filter")


@rewrites("list_reduce", "array_reduce", "reduce")
def rewrite_reduce(call: Call) -> exp.Expr:
    """Rewrite what a lambda makes of all elements, one after the other."""
    if call.count != 3:
        raise call.refuse("without a first value")
    kind = call.result
    body, scope, names = _lambda(call, 1, [kind, t.element(call.type(0))])
    made = call.rewriter.cast_to(body, kind, scope)
    return b.call(
        "aggregate", call.arg(0), typed(call.arg(2), kind), b.arrow(typed(made, kind), *names)
    )


_AGGREGATES = (
    "list_sum", "list_avg", "list_min", "list_max", "list_count", "list_first", "list_last",
    "list_any_value", "list_bool_and", "list_bool_or", "list_product",
)  # fmt: skip


@rewrites("list_aggregate", "list_aggr", "array_aggregate", "array_aggr")
def rewrite_aggregate(call: Call) -> exp.Expr:
    """Rewrite an aggregate of a list by its name."""
    name = f"list_{call.literal(1, 'the aggregate').lower()}"
    if name not in _AGGREGATES or call.count != 2:
        raise call.refuse(f"with {name.removeprefix('list_')}")
    return _aggregate(call, name)


@rewrites(*_AGGREGATES)
def rewrite_list_aggregate(call: Call) -> exp.Expr:
    """Rewrite an aggregate of a list."""
    return _aggregate(call, call.name)


def _aggregate(call: Call, name: str) -> exp.Expr:
    values, kind, result = call.arg(0), t.element(call.type(0)), call.result
    known = not_null(values)
    if name in ("list_min", "list_max"):
        return b.call(name.replace("list", "array"), values)
    if name == "list_count":
        size = b.cast(b.call("size", known), "BIGINT")
        return b.when((b.is_not_null(values), size))
    if name in ("list_first", "list_last"):
        return b.call("try_element_at", values, b.number(1 if name == "list_first" else -1))
    if name == "list_any_value":
        return b.call("try_element_at", known, b.number(1))
    if name in ("list_bool_and", "list_bool_or"):
        truth = exp.Boolean(this=name == "list_bool_or")
        found: exp.Expr = b.call("array_contains", known, truth)
        found = b.negate(found) if name == "list_bool_and" else found
        return b.when((exp.GT(this=b.call("size", known.copy()), expression=b.number(0)), found))
    one = typed(b.name("_e"), result)
    if name == "list_product":
        step: exp.Expr = b.multiply(b.name("_a"), one)
    else:
        step = b.add(b.name("_a"), one)
    step = typed(b.call("coalesce", step, one.copy()), result)
    if kind == '"NULL"' or not t.is_number(kind):
        raise call.refuse(f"of {kind}")
    total = b.call("aggregate", known, typed(b.null(), result), b.arrow(step, "_a", "_e"))
    if name != "list_avg":
        return total
    count = b.call("size", known.copy())
    return b.when(
        (exp.GT(this=count, expression=b.number(0)), b.binary(exp.Div, total, count.copy()))
    )


@rewrites("range", "generate_series")
def rewrite_range(call: Call) -> exp.Expr:
    """Rewrite a list of numbers: of range the end is left out; where it is passed, none."""
    if not t.is_list(call.result) or t.element(call.result) != "BIGINT":
        raise call.refuse("of times")
    step = call.whole(2, "the step") if call.count == 3 else 1
    if step == 0:
        raise call.refuse("with a step of 0")
    start = call.arg_as(0, "BIGINT") if call.count > 1 else b.cast(b.number(0), "BIGINT")
    stop = call.arg_as(1 if call.count > 1 else 0, "BIGINT")
    if call.name == "range":
        last = b.subtract(stop, b.number(1)) if step > 0 else b.add(stop, b.number(1))
    else:
        last = stop
    compare = exp.LTE if step > 0 else exp.GTE
    goes = b.binary(compare, start, last)
    steps = [] if step == 1 else [b.cast(b.number(step), "BIGINT")]
    passed = b.binary(exp.GT if step > 0 else exp.LT, start.copy(), last.copy())
    made = b.when(
        (goes, b.call("sequence", start.copy(), last.copy(), *steps)),
        (passed, typed(b.call("array"), call.result)),
    )
    return typed(made, call.result)
