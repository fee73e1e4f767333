"""Rounding: half away from zero, and a DOUBLE stays one."""

from __future__ import annotations

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.expressions import Call, rewrites
from catalog.spark.rewrite_casts import typed


@rewrites("ceil", "ceiling", "floor", "trunc")
def rewrite_floor(call: Call) -> exp.Expr:
    """Rewrite rounding up, down and towards zero; a DOUBLE stays one."""
    value, kind = call.arg(0), call.type(0)
    if call.count != 1:
        raise call.refuse("to a number of digits")
    if kind in t.INTEGERS:
        return value
    name = "ceil" if call.name == "ceiling" else call.name
    if name == "trunc":
        # Spark's trunc is of dates.
        up = exp.LT(this=b.wrap(value.copy()), expression=b.number(0))
        value = b.when((up, _rounded("ceil", value, kind)), default=_rounded("floor", value, kind))
        return typed(value, call.result)
    return typed(_rounded(name, value, kind), call.result)


def _rounded(name: str, value: exp.Expr, kind: str) -> exp.Expr:
    if kind not in t.FLOATS:
        return b.call(name, value.copy())
    # Spark makes a BIGINT of it: what is larger than its digits has no fraction anyway.
    small = exp.LT(this=b.call("abs", value.copy()), expression=b.number("9e15"))
    return b.when(
        (small, b.cast(b.call(name, value.copy()), "DOUBLE")),
        default=b.cast(value.copy(), "DOUBLE"),
    )


@rewrites("round")
def rewrite_round(call: Call) -> exp.Expr:
    """Rewrite rounding, half away from zero."""
    digits = call.whole(1, "the number of digits") if call.count == 2 else 0
    kind = call.type(0)
    if kind in t.INTEGERS and digits >= 0:
        return call.arg(0)
    if kind in t.FLOATS and digits != 0:
        # DuckDB multiplies, rounds and divides, and so does this: 2.675 is a little less.
        scale = b.cast(b.text(f"1e{abs(digits)}"), "DOUBLE")
        apply, undo = (exp.Mul, exp.Div) if digits > 0 else (exp.Div, exp.Mul)
        scaled = b.call("round", b.binary(apply, call.arg_as(0, "DOUBLE"), scale))
        return typed(b.binary(undo, scaled, scale.copy()), call.result)
    return typed(b.call("round", call.arg(0), b.number(digits)), call.result)


@rewrites("roundbankers", "round_even")
def rewrite_round_even(call: Call) -> exp.Expr:
    """Rewrite rounding, half to even."""
    digits = call.whole(1, "the number of digits")
    if call.type(0) not in t.FLOATS or digits:
        raise call.refuse("of anything but a DOUBLE to a whole number")
    return typed(b.call("bround", call.arg(0)), call.result)


@rewrites("even")
def rewrite_even(call: Call) -> exp.Expr:
    """Rewrite rounding away from zero to an even number."""
    half = b.binary(exp.Div, call.arg_as(0, "DOUBLE"), b.number(2))
    size = b.call("ceil", b.call("abs", half))
    sign = b.call("sign", call.arg_as(0, "DOUBLE"))
    return b.multiply(b.multiply(b.cast(size, "DOUBLE"), b.number(2)), sign)
