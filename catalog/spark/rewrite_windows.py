"""Window functions, with their frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.expressions import Call, Rewriter, handles, rewrites
from catalog.spark.nodes import arguments, constant
from catalog.spark.ordering import sorted_by
from catalog.spark.refuse import refused
from catalog.spark.rewrite_aggregates import AGGREGATES, check_known, not_empty
from catalog.spark.rewrite_lists import not_null
from catalog.spark.scopes import Scope

_RANKS: Final = {"row_number": "row_number", "rank": "rank", "rank_dense": "dense_rank",
                 "dense_rank": "dense_rank", "percent_rank": "percent_rank",
                 "cume_dist": "cume_dist", "ntile": "ntile"}  # fmt: skip
_VALUES: Final = ("lag", "lead", "first_value", "last_value", "nth_value", "first", "last")
_NULL_BLIND: Final = frozenset({
    "sum", "avg", "mean", "min", "max", "count", "bool_and", "bool_or", "stddev", "stddev_samp",
    "stddev_pop", "var_samp", "var_pop", "variance", "median", "quantile_cont",
})  # fmt: skip

_OF_SLIDING: Final = frozenset({
    "sum", "avg", "mean", "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop",
})  # fmt: skip


@rewrites(*_RANKS, "lag", "lead", "first_value", "last_value", "nth_value")
def rewrite_bare(call: Call) -> exp.Expr:
    """Refuse a window function without a window."""
    raise call.refuse("without OVER")


@handles("WINDOW")
def rewrite_window(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite a window function with its window."""
    name = node["function_name"].lower()
    if node.get("arg_orders"):
        raise refused(f"The window function {name} with ORDER BY inside")
    if node.get("distinct"):
        raise refused(f"The window function {name} with DISTINCT")
    if node.get("exclude_clause") not in (None, "NO_OTHER"):
        raise refused("EXCLUDE in a window")
    if node.get("filter_expr"):
        node = _filtered(node, name)
        name = node["function_name"]
    if name in _RANKS or name in ("lag", "lead"):
        if not node.get("orders"):
            raise refused(f"The window function {name} without ORDER BY in its window")
        spec = None
    else:
        spec = _frame(rewriter, node, scope)
    call = Call(name, node, scope, rewriter)

    def over(made: exp.Expr) -> exp.Expr:
        partitions = [rewriter.rewrite(one, scope) for one in node.get("partitions") or []]
        keys = [sort_key(rewriter, one, scope) for one in node.get("orders") or []]
        return exp.Window(
            this=made,
            partition_by=partitions,
            order=exp.Order(expressions=keys) if keys else None,
            spec=spec.copy() if spec is not None else None,
        )

    if name in _RANKS:
        counted = [b.cast(call.arg(0), "INT")] if name == "ntile" else []
        made = over(b.call(_RANKS[name], *counted))
        is_share = name in ("percent_rank", "cume_dist")
        return made if is_share else b.cast(made, "BIGINT")
    if name in _VALUES:
        made = over(_value(call, name))
        return _or_default(call, made, over)
    check_known(name)
    if node.get("ignore_nulls"):
        raise refused(f"IGNORE NULLS of {name}")
    if name in _OF_SLIDING and _slides(spec) and call.result in t.FLOATS:
        return _of_frame(call, name, over)
    return AGGREGATES[name](call, over)


def _slides(spec: exp.WindowSpec | None) -> bool:
    return spec is not None and spec.args["start"] != "UNBOUNDED"


def _of_frame(call: Call, name: str, over: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Return an aggregate of each frame's own values: Sail adds what comes and takes what goes,
    whereby a NaN stays and a large value leaves its error behind."""
    values = not_null(over(b.call("collect_list", call.arg_as(0, "DOUBLE"))))
    zero, one = b.cast(b.number(0), "DOUBLE"), b.field(b.name("_s"), "v")
    mean = b.field(b.name("_s"), "m")

    def total(of: exp.Expr, value: exp.Expr) -> exp.Expr:
        step = b.arrow(b.add(b.name("_a"), value), "_a", "_e")
        return b.call("aggregate", of, zero.copy(), step)

    def size(of: exp.Expr) -> exp.Expr:
        return b.cast(b.call("size", of), "DOUBLE")

    if name == "sum":
        return not_empty(values, total(values.copy(), b.name("_e")))
    average = b.binary(exp.Div, total(values.copy(), b.name("_e")), size(values.copy()))
    if name in ("avg", "mean"):
        return not_empty(values, average)
    distance = b.subtract(b.name("_e"), mean)
    squares = total(one, b.multiply(distance, distance.copy()))
    degrees = size(one.copy())
    if not name.endswith("_pop"):
        degrees = b.subtract(degrees, b.number(1))
    made = b.binary(exp.Div, squares, b.call("nullif", degrees, zero.copy()))
    made = b.call("sqrt", made) if name.startswith("stddev") else made
    pack = b.call("array", b.struct(v=values.copy(), m=average))
    return not_empty(values, b.call("try_element_at", b.each(pack, made, "_s"), b.number(1)))


def _value(call: Call, name: str) -> exp.Expr:
    node = call.node
    values = [call.arg(0)]
    if name in ("lag", "lead"):
        offset = call.whole(1, "the offset") if call.count > 1 else 1
        if offset < 0:
            name, offset = ("lead" if name == "lag" else "lag"), -offset
        values.append(b.number(offset))
    elif name == "nth_value":
        values.append(b.number(call.whole(1, "the position")))
    name = {"first": "first_value", "last": "last_value"}.get(name, name)
    made = b.call(name, *values)
    return exp.IgnoreNulls(this=made) if node.get("ignore_nulls") else made


def _or_default(call: Call, made: exp.Expr, over: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Return lag with what stands where no row is so far back: Sail knows constants only."""
    if call.name not in ("lag", "lead") or call.count < 3:
        return made
    offset = call.whole(1, "the offset")
    if call.name == "lead" or offset < 0 or call.node.get("ignore_nulls"):
        raise refused(f"The window function {call.name} with a default", "only that of lag is")
    row = over(b.call("row_number"))
    near = exp.LTE(this=row, expression=b.number(offset))
    return b.when((near, call.arg_as(2, call.result)), default=made)


def _filtered(node: Node, name: str) -> Node:
    """Return a window whose FILTER is a CASE inside: Spark knows no FILTER there."""
    if name not in _NULL_BLIND and name != "count_star":
        raise refused(f"The window function {name} with FILTER")
    given = arguments(node)
    one = {
        "class": "CONSTANT", "type": "VALUE_CONSTANT",
        "literal": {"kind": "INTEGER", "text": "1"}, "alias": "",
    }  # fmt: skip
    value = given[0] if given else one
    null = {"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "",
            "literal": {"kind": "NULL_LITERAL", "text": ""}}  # fmt: skip
    case = {
        "class": "CASE", "type": "CASE_EXPR", "alias": "",
        "case_checks": [{"when_expr": node["filter_expr"], "then_expr": value}],
        "else_expr": null,
    }  # fmt: skip
    name = "count" if name == "count_star" else name
    return {
        **node,
        "filter_expr": None,
        "function_name": name,
        "type": "WINDOW_AGGREGATE",
        "qualified_name": {"path": [name]},
        "arguments": [{"name": "", "expression": case}, *node["arguments"][1:]],
    }


def sort_key(rewriter: Rewriter, key: dict[str, Any], scope: Scope) -> exp.Expr:
    """Return a sort key; NULL comes last unless it is asked for first."""
    value = rewriter.rewrite(key["expression"], scope)
    if constant(key["expression"]) is not None:
        value = b.cast(value, "STRING")
    return sorted_by(value, key)


def _frame(rewriter: Rewriter, node: Node, scope: Scope) -> exp.WindowSpec | None:
    start, end = node["start"], node["end"]
    if "GROUPS" in start + end:
        raise refused("A window frame of GROUPS")
    if (start, end) == ("UNBOUNDED_PRECEDING", "CURRENT_ROW_RANGE"):
        return None
    rows = "ROWS" in start + end or (start.startswith("UNBOUNDED") and end.startswith("UNBOUNDED"))
    offsets = [node.get("start_expr"), node.get("end_expr")]
    if not rows and any(offsets):
        keys = node.get("orders") or []
        kind = rewriter.type_of(keys[0]["expression"], scope) if len(keys) == 1 else ""
        if not t.is_number(kind):
            raise refused("A window frame of RANGE over times", "it is of numbers")
    sides: list[tuple[object, str | None]] = []
    for bound, offset in zip((start, end), offsets, strict=True):
        if bound.startswith("CURRENT_ROW"):
            sides.append(("CURRENT ROW", None))
        elif bound.startswith("UNBOUNDED"):
            sides.append(("UNBOUNDED", bound.removeprefix("UNBOUNDED_")))
        else:
            known = constant(offset) if offset else None
            if not isinstance(known, int | float) or known < 0:
                raise refused("A window frame between bounds that are no numbers in the query")
            if rows and not isinstance(known, int):
                raise refused("A window frame of a share of a row")
            sides.append(
                (b.number(repr(known)), "PRECEDING" if "PRECEDING" in bound else "FOLLOWING")
            )
    return exp.WindowSpec(
        kind="ROWS" if rows else "RANGE",
        start=sides[0][0], start_side=sides[0][1], end=sides[1][0], end_side=sides[1][1],
    )  # fmt: skip
