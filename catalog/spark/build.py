"""Spark SQL's expressions as sqlglot's nodes, each as it is to be written."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

# What binds as loosely as an operator stands in parentheses inside another one.
_LOOSE = (exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In, exp.Is, exp.Case)


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Return a call of a Spark function, by exactly this name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def cast(value: exp.Expr, kind: str) -> exp.Expr:
    """Return a cast to a Spark type."""
    return exp.Cast(this=value, to=exp.DataType.build(kind, dialect="spark"))


def try_cast(value: exp.Expr, kind: str) -> exp.Expr:
    """Return a cast to a Spark type that gives NULL where there is no such value."""
    return exp.TryCast(this=value, to=exp.DataType.build(kind, dialect="spark"), safe=True)


def number(value: int | str) -> exp.Expr:
    """Return a number, written as it is."""
    text = str(value)
    if text.startswith("-"):
        return exp.Paren(this=exp.Neg(this=exp.Literal.number(text[1:])))
    return exp.Literal.number(text)


def text(value: str) -> exp.Expr:
    """Return a text."""
    return exp.Literal.string(value)


def double(value: str) -> exp.Expr:
    """Return a DOUBLE such as infinity or NaN."""
    return cast(text(value), "DOUBLE")


def steady(value: exp.Expr) -> exp.Expr:
    """Return a DOUBLE with the one NaN that equals itself: Sail tells NaNs of either sign apart."""
    return call("nanvl", value, double("NaN"))


def unsteady(value: exp.Expr) -> exp.Expr:
    """Return what `steady` was given: what is calculated from it is made steady itself."""
    is_steady = isinstance(value, exp.Anonymous) and value.name == "nanvl"
    made: exp.Expr = value.expressions[0] if is_steady else value
    return made


def null() -> exp.Expr:
    """Return NULL."""
    return exp.Null()


def wrap(value: exp.Expr) -> exp.Expr:
    """Return an operand, in parentheses where it needs them."""
    is_dot = isinstance(value, exp.Dot)
    return exp.Paren(this=value) if isinstance(value, _LOOSE) and not is_dot else value


def binary(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return an operator between two operands."""
    return kind(this=wrap(left), expression=wrap(right))


def negate(value: exp.Expr) -> exp.Expr:
    """Return NOT of a condition."""
    return exp.Not(this=wrap(value))


def add(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return the sum of two."""
    return binary(exp.Add, left, right)


def subtract(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return the difference of two."""
    return binary(exp.Sub, left, right)


def multiply(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return the product of two."""
    return binary(exp.Mul, left, right)


def divide_whole(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return the whole part of a quotient of integers."""
    return binary(exp.IntDiv, left, right)


def equal(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return whether two are equal."""
    return binary(exp.EQ, left, right)


def is_null(value: exp.Expr) -> exp.Expr:
    """Return whether a value is NULL."""
    return exp.Is(this=wrap(value), expression=exp.Null())


def is_not_null(value: exp.Expr) -> exp.Expr:
    """Return whether a value is there."""
    return exp.Not(this=is_null(value))


def both(*conditions: exp.Expr) -> exp.Expr:
    """Return whether all conditions hold."""
    whole = wrap(conditions[0])
    for one in conditions[1:]:
        whole = exp.And(this=whole, expression=wrap(one))
    return whole


def either(*conditions: exp.Expr) -> exp.Expr:
    """Return whether any condition holds."""
    whole = wrap(conditions[0])
    for one in conditions[1:]:
        whole = exp.Or(this=whole, expression=wrap(one))
    return whole


def when(*branches: tuple[exp.Expr, exp.Expr], default: exp.Expr | None = None) -> exp.Expr:
    """Return a CASE; without a default it is NULL where no condition holds."""
    return exp.Case(
        ifs=[exp.If(this=condition, true=value) for condition, value in branches], default=default
    )


def each(values: exp.Expr, body: exp.Expr, *names: str, function: str = "transform") -> exp.Expr:
    """Return a higher-order function of a list: its body names the elements."""
    return call(function, values, arrow(body, *names))


def arrow(body: exp.Expr, *names: str) -> exp.Expr:
    """Return a lambda."""
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name) for name in names])


def name(text: str) -> exp.Expr:
    """Return a name that a lambda of ours has bound."""
    return exp.column(text)


def field(value: exp.Expr, of: str) -> exp.Expr:
    """Return a field of a struct."""
    return exp.Dot(this=wrap(value), expression=exp.to_identifier(of, quoted=True))


def column(relation: str | None, of: str) -> exp.Column:
    """Return a column of a relation."""
    return exp.column(
        exp.to_identifier(of, quoted=True),
        table=exp.to_identifier(relation, quoted=True) if relation else None,
    )


def ordered(value: exp.Expr, *, descending: bool = False, nulls_first: bool = False) -> exp.Expr:
    """Return a sort key; where NULL goes is always written."""
    key = exp.Ordered(this=value, desc=descending, nulls_first=nulls_first)
    return key


def named(value: exp.Expr, alias: str) -> exp.Expr:
    """Return an output column."""
    return exp.Alias(this=value, alias=exp.to_identifier(alias, quoted=True))


def alias(name: str, columns: Sequence[str] = ()) -> exp.TableAlias:
    """Return the name of a relation, and of its columns where they have others."""
    return exp.TableAlias(
        this=exp.to_identifier(name, quoted=True),
        columns=[exp.to_identifier(one, quoted=True) for one in columns],
    )


def struct(**parts: exp.Expr) -> exp.Expr:
    """Return a struct of named values."""
    flat = [one for key, value in parts.items() for one in (text(key), value)]
    return call("named_struct", *flat)
