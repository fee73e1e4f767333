"""Arithmetic in DuckDB's types: `/` is of fractions, `//` of integers, and x / 0 is infinite."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.expressions import Call, rewrites
from catalog.spark.nodes import constant
from catalog.spark.refuse import refused
from catalog.spark.rewrite_casts import convert, typed
from catalog.spark.rewrite_intervals import add_interval, is_interval

_ARITHMETIC: Final[dict[str, type[exp.Binary]]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
_LOGARITHMS: Final = ("ln", "log10", "log2")
_WORDS: Final = {"add": "+", "subtract": "-", "multiply": "*"}


@rewrites("+", "-", "*", "add", "subtract", "multiply")
def rewrite_arithmetic(call: Call) -> exp.Expr:
    """Rewrite sums, differences and products, of numbers and of times."""
    sign = _WORDS.get(call.name, call.name)
    if call.count == 1:
        return _negative(call) if sign == "-" else call.arg(0)
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
    made = b.binary(_ARITHMETIC[sign], *map(b.unsteady, _wide(call, result)))
    if result == "DOUBLE":
        # Infinity less infinity, or times zero, is NaN.
        return made if any(map(_is_harmless, call.nodes)) else b.steady(made)
    return made if result == "HUGEINT" else typed(made, result)


def _is_harmless(node: Node) -> bool:
    known = constant(node)
    return isinstance(known, int | float) and known != 0


def _negative(call: Call) -> exp.Expr:
    known = isinstance(constant(call.nodes[0]), int | float)
    made = exp.Neg(this=b.wrap(call.arg(0)))
    return b.steady(made) if call.result == "DOUBLE" and not known else made


def _wide(call: Call, result: str) -> list[exp.Expr]:
    """Return both operands in a type that holds what comes of them: Sail has no overflow."""
    if result not in t.INTEGERS or result == "HUGEINT":
        return [operand(call, at, result) for at in (0, 1)]
    wider = "DECIMAL(38, 0)" if result == "BIGINT" else "BIGINT"
    left, right = (call.arg(at) for at in (0, 1))
    if _is_whole(call, 0):
        return [left, b.cast(right, wider)]
    return [b.cast(left, wider), right if _is_whole(call, 1) else b.cast(right, wider)]


def _is_whole(call: Call, number: int) -> bool:
    return isinstance(constant(call.nodes[number]), int)


def operand(call: Call, number: int, kind: str) -> exp.Expr:
    """Return an operand in the type that DuckDB calculates in, cast only where Spark would not."""
    mine = call.type(number)
    if mine == kind or (_is_whole(call, number) and kind in ("INTEGER", "BIGINT", "DOUBLE")):
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
    if call.result == "FLOAT":
        plain = b.cast(plain, "FLOAT")
    if known == 0 and call.result == "DOUBLE" and not str(known).startswith("-"):
        return b.steady(b.multiply(left, b.double("Infinity")))
    if isinstance(known, int | float) and known != 0:
        return plain
    infinite = b.double("Infinity")
    if call.type(1) in t.FLOATS:
        below = exp.Like(this=b.cast(right.copy(), "STRING"), expression=b.text("-%"))
        infinite = b.when((below, b.double("-Infinity")), default=infinite)
    at_zero = b.steady(b.multiply(left.copy(), infinite))
    if call.result == "FLOAT":
        at_zero = b.cast(at_zero, "FLOAT")
    return b.when((b.equal(right.copy(), b.number(0)), at_zero), default=plain)


@rewrites("//")
def rewrite_whole_division(call: Call) -> exp.Expr:
    """Rewrite division of integers, which cuts off."""
    if call.result not in t.INTEGERS or call.result == "HUGEINT":
        raise refused(f"The operator // of {call.type(0)} and {call.type(1)}", "of integers it is")
    return typed(b.divide_whole(call.arg(0), call.arg(1)), call.result)


@rewrites("%", "mod")
def rewrite_remainder(call: Call) -> exp.Expr:
    """Rewrite the remainder, which has the sign of what is divided."""
    if call.result in t.FLOATS:
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
    return logarithm(name, value) if name in _LOGARITHMS else b.steady(b.call(name, value))


def logarithm(name: str, value: exp.Expr) -> exp.Expr:
    """Return a logarithm: of zero it is infinite and of less NaN, where Spark has NULL for it."""
    zero = b.number(0)
    return b.when(
        (b.equal(value, zero), b.double("-Infinity")),
        (exp.LT(this=b.wrap(value.copy()), expression=zero.copy()), b.double("NaN")),
        default=b.call(name, value.copy()),
    )


@rewrites("sign")
def rewrite_sign(call: Call) -> exp.Expr:
    """Rewrite the sign: of NaN it is 0."""
    made = b.call("sign", call.arg(0))
    return typed(b.call("nanvl", made, b.number(0)) if call.type(0) in t.FLOATS else made,
                 call.result)  # fmt: skip


@rewrites("greatest", "least")
def rewrite_greatest(call: Call) -> exp.Expr:
    """Rewrite the greatest and the least, which pass over NULL in both."""
    if t.is_nested(call.result):
        raise call.refuse(f"of {call.result}")
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
