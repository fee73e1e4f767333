"""Arithmetic in DuckDB's types: `/` is of fractions, `//` of integers, and x / 0 is infinite."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.expressions import Call, rewrites
from catalog.spark.nodes import constant
from catalog.spark.refuse import refused
from catalog.spark.rewrite_casts import convert, typed
from catalog.spark.rewrite_intervals import add_interval, is_interval

_ARITHMETIC: Final[dict[str, type[exp.Binary]]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
_WORDS: Final = {"add": "+", "subtract": "-", "multiply": "*"}


@rewrites("+", "-", "*", "add", "subtract", "multiply")
def rewrite_arithmetic(call: Call) -> exp.Expr:
    """Rewrite sums, differences and products, of numbers and of times."""
    sign = _WORDS.get(call.name, call.name)
    if call.count == 1:
        return exp.Neg(this=b.wrap(call.arg(0))) if sign == "-" else call.arg(0)
    kinds = call.type(0), call.type(1)
    if "INTERVAL" in (*kinds, call.result) or set(kinds) & t.TIMES:
        return _of_times(call, sign)
    result = call.result
    if not t.is_number(result):
        raise refused(f"The operator {sign} of {kinds[0]} and {kinds[1]}")
    if result in t.UNSIGNED:
        raise refused(f"Arithmetic of {result}", "Spark has no unsigned numbers")
    if t.is_decimal(result):
        return _of_decimals(call, sign)
    return b.binary(_ARITHMETIC[sign], operand(call, 0, result), operand(call, 1, result))


def operand(call: Call, number: int, kind: str) -> exp.Expr:
    """Return an operand in the type that DuckDB calculates in, cast only where Spark would not."""
    mine = call.type(number)
    is_whole = isinstance(constant(call.nodes[number]), int)
    if mine == kind or (is_whole and kind in ("INTEGER", "BIGINT", "DOUBLE")):
        return call.arg(number)
    return call.arg_as(number, kind)


def _of_decimals(call: Call, sign: str) -> exp.Expr:
    digits = [
        t.decimal_digits(kind) if t.is_decimal(kind := call.type(at)) else (19, 0) for at in (0, 1)
    ]
    if sign == "*" and sum(one for one, _ in digits) + 1 > 38 and call.type(0) != call.type(1):
        # Spark would round the product first.
        sides = [call.arg(at) for at in (0, 1)]
    else:
        sides = [call.arg(at) for at in (0, 1)]
    return typed(b.binary(_ARITHMETIC[sign], *sides), call.result)


def _of_times(call: Call, sign: str) -> exp.Expr:
    left, right = call.type(0), call.type(1)
    if sign in "+-" and right == "INTERVAL" and left in t.TIMES:
        return add_interval(call, 0, 1, minus=sign == "-")
    if sign == "+" and left == "INTERVAL" and right in t.TIMES:
        return add_interval(call, 1, 0, minus=False)
    if left == "DATE" and right in t.INTEGERS:
        return b.call("date_add" if sign == "+" else "date_sub", call.arg(0), _int(call, 1))
    if sign == "+" and right == "DATE" and left in t.INTEGERS:
        return b.call("date_add", call.arg(1), _int(call, 0))
    if sign == "-" and left == right == "DATE":
        return b.cast(b.call("datediff", call.arg(0), call.arg(1)), "BIGINT")
    if is_interval(call.result):
        raise refused(
            f"The operator {sign} of {left} and {right}",
            "an interval is only added to a time",
            hint="Take date_diff('second', a, b) for the time between two moments",
        )
    raise refused(f"The operator {sign} of {left} and {right}")


def _int(call: Call, number: int) -> exp.Expr:
    return b.cast(call.arg(number), "INT")


@rewrites("/", "divide", "decimal_division", "fdiv")
def rewrite_division(call: Call) -> exp.Expr:
    """Rewrite division of fractions: by zero it is infinite, or NaN."""
    if call.name == "fdiv":
        raise call.refuse("it rounds down as no division of Spark does")
    if call.result not in t.FLOATS:
        raise refused(f"The operator / of {call.type(0)} and {call.type(1)}")
    left, right = call.arg_as(0, call.result), call.arg_as(1, call.result)
    known = constant(call.nodes[1])
    plain = b.binary(exp.Div, left, right)
    if known == 0 and call.result == "DOUBLE" and not str(known).startswith("-"):
        return b.multiply(left, b.double("Infinity"))
    if isinstance(known, int | float) and known != 0:
        return plain
    infinite = b.double("Infinity")
    if call.type(1) in t.FLOATS:
        below = exp.Like(this=b.cast(right.copy(), "STRING"), expression=b.text("-%"))
        infinite = b.when((below, b.double("-Infinity")), default=infinite)
    at_zero = b.multiply(left.copy(), infinite)
    if call.result == "FLOAT":
        at_zero = b.cast(at_zero, "FLOAT")
    return b.when((b.equal(right.copy(), b.number(0)), at_zero), default=plain)


@rewrites("//")
def rewrite_whole_division(call: Call) -> exp.Expr:
    """Rewrite division of integers, which cuts off."""
    if call.result not in t.INTEGERS or call.result == "HUGEINT":
        raise refused(f"The operator // of {call.type(0)} and {call.type(1)}", "of integers it is")
    return typed(b.divide_whole(call.arg(0), call.arg(1)), call.result)


@rewrites("%", "mod", "fmod")
def rewrite_remainder(call: Call) -> exp.Expr:
    """Rewrite the remainder, which has the sign of what is divided."""
    if call.name == "fmod" or call.result in t.FLOATS:
        divisor = constant(call.nodes[1])
        if not divisor:
            raise refused("The remainder of a DOUBLE", "but by a number that stands in the query")
        left = call.arg_as(0, "DOUBLE")
        return b.binary(exp.Mod, left, call.arg_as(1, "DOUBLE"))
    return typed(b.binary(exp.Mod, call.arg(0), call.arg(1)), call.result)


@rewrites("^", "**", "pow", "power")
def rewrite_power(call: Call) -> exp.Expr:
    """Rewrite powers, which are of DOUBLE."""
    return b.call("power", call.arg_as(0, "DOUBLE"), call.arg_as(1, "DOUBLE"))


@rewrites("&", "|", "xor")
def rewrite_bits(call: Call) -> exp.Expr:
    """Rewrite operations on the bits of integers."""
    kind = {"&": exp.BitwiseAnd, "|": exp.BitwiseOr, "xor": exp.BitwiseXor}[call.name]
    if call.result not in ("INTEGER", "BIGINT"):
        raise refused(f"The operator {call.name} of {call.result}")
    return b.binary(kind, operand(call, 0, call.result), operand(call, 1, call.result))


@rewrites("abs", "@")
def rewrite_abs(call: Call) -> exp.Expr:
    """Rewrite the absolute value."""
    return b.call("abs", call.arg(0))


@rewrites("sqrt", "ln", "log", "log10", "log2", "acos", "asin", "atanh", "cot")
def rewrite_guarded(call: Call) -> exp.Expr:
    """Rewrite functions that fail in DuckDB where Spark makes NULL or NaN of it."""
    if call.count != 1:
        raise call.refuse("with a base of its own: divide two logarithms")
    name = "log10" if call.name == "log" else call.name
    value = call.arg_as(0, "DOUBLE")
    return b.call(name, value)


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


@rewrites("greatest", "least")
def rewrite_greatest(call: Call) -> exp.Expr:
    """Rewrite the greatest and the least, which pass over NULL in both."""
    values = [call.arg_as(at, call.result) for at in range(call.count)]
    return values[0] if len(values) == 1 else b.call(call.name, *values)


@rewrites("isnan")
def rewrite_isnan(call: Call) -> exp.Expr:
    """Rewrite whether a DOUBLE is NaN: of NULL it is not known."""
    value = call.arg_as(0, "DOUBLE")
    return b.when((b.is_not_null(value), b.call("isnan", value.copy())))


@rewrites("isfinite", "isinf")
def rewrite_finite(call: Call) -> exp.Expr:
    """Rewrite whether a DOUBLE is infinite."""
    value = b.call("abs", call.arg_as(0, "DOUBLE"))
    infinite = b.double("Infinity")
    if call.name == "isinf":
        return b.equal(value, infinite)
    # NaN is above infinity in Spark.
    return exp.LT(this=value, expression=infinite)


@rewrites("gcd", "greatest_common_divisor", "factorial")
def rewrite_whole(call: Call) -> exp.Expr:
    """Rewrite functions of integers."""
    if call.name != "factorial":
        raise call.refuse("Spark has none")
    return convert(b.call("factorial", b.cast(call.arg(0), "INT")), "BIGINT", call.result)
