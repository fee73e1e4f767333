"""Casts as DuckDB makes them: it rounds where Spark cuts off, and reads less text as a time."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.expressions import Rewriter, handles
from catalog.spark.nodes import arguments, constant, is_null
from catalog.spark.refuse import refused
from catalog.spark.scopes import Scope

# What all read alike as a time: ISO 8601, whole or up to the day, the minute or the second.
_CLOCK = r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?)"
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)?"
# Spark takes 1.5d, 1f and 0x1p3 for numbers.
_NO_NUMBER = r"(?i)([0-9.][df]|x.*)\s*$"
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


@handles("CAST")
def rewrite_cast(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite cast, try_cast and `::`."""
    kind = rewriter.type_of(node, scope)
    return cast_value(rewriter, node["child"], kind, scope, is_try=bool(node["try_cast"]))


def cast_value(
    rewriter: Rewriter, node: Node, kind: str, scope: Scope, *, is_try: bool = False
) -> exp.Expr:
    """
    Return an expression as a value of a DuckDB type.

    Raises:
        QueryError: the cast has no equal in Spark.
    """
    known = constant(node)
    if isinstance(known, str) and kind not in t.TEXTS:
        return _constant_cast(rewriter, known, kind, is_try=is_try)
    if is_null(node):
        return _typed_null(kind)
    if node["class"] == "FUNCTION" and node["function_name"] in ("->", "json_extract"):
        from catalog.spark.rewrite_json import as_text

        if kind != "JSON":
            return convert(as_text(rewriter, node, scope), "VARCHAR", kind, is_try=is_try)
    is_empty = node["class"] == "OPERATOR" and node["type"] == "ARRAY_CONSTRUCTOR"
    is_empty = is_empty or (node["class"] == "FUNCTION" and node["function_name"] == "list_value")
    if is_empty and not (node.get("children") or arguments(node)) and t.is_list(kind):
        return typed(b.call("array"), kind)
    source = rewriter.type_of(node, scope)
    if kind in t.UNSIGNED and source != kind:
        raise refused(f"A cast to {kind}", "Spark has no unsigned numbers")
    return convert(rewriter.rewrite(node, scope), source, kind, is_try=is_try)


def typed(value: exp.Expr, kind: str) -> exp.Expr:
    """Return a value with the Spark type that stands for a DuckDB type written on it."""
    spark = t.spark_type(kind)
    if spark is None or "VOID" in spark:
        raise refused(f"The type {kind}", "Spark has no such type")
    return b.cast(value, spark)


def convert(value: exp.Expr, source: str, kind: str, *, is_try: bool = False) -> exp.Expr:
    """
    Return a value of one DuckDB type as one of another.

    Raises:
        QueryError: the cast has no equal in Spark.
    """
    spark = t.spark_type(kind)
    if source == kind or (source in t.TEXTS and kind in t.TEXTS):
        return value
    if spark is None:
        raise refused(f"The type {kind}", "Spark has no such type")
    plain = b.try_cast if is_try else b.cast
    if source == '"NULL"':
        return b.cast(value, spark)
    if kind in t.INTEGERS:
        if source in t.FLOATS:
            return plain(b.call("bround", value), spark)
        if t.is_decimal(source):
            return plain(b.call("round", value), spark)
        if source in t.TEXTS:
            return plain(b.call("round", _text_to_decimal(value, "DECIMAL(38, 18)", plain)), spark)
        if source == "BOOLEAN" or source in t.INTEGERS or source in t.UNSIGNED:
            return plain(value, spark)
    if kind in t.UNSIGNED and source in t.INTEGERS:
        return plain(value, spark)
    if kind in t.FLOATS and source in t.TEXTS:
        odd = exp.RegexpLike(this=b.wrap(value), expression=b.text(_NO_NUMBER))
        if not is_try:
            other = b.call("raise_error", b.text("There is a text that is no number"))
            return b.when((odd, b.cast(other, spark)), default=plain(value, spark))
        return b.when((odd, b.null()), default=plain(value, spark))
    if t.is_decimal(kind) and source in t.TEXTS:
        return _text_to_decimal(value, spark, plain)
    is_number = t.is_number(source) or source == "BOOLEAN"
    if (kind in t.FLOATS and is_number) or (t.is_decimal(kind) and (is_number)):
        return plain(value, spark)
    if kind == "BOOLEAN" and t.is_number(source):
        return plain(value, spark)
    if kind == "BOOLEAN" and source in t.TEXTS:
        return _text_to_boolean(value, is_try=is_try)
    if kind in t.TEXTS:
        return _to_text(value, source)
    if kind in t.TIMES and source in t.TIMES:
        return plain(value, spark)
    if kind in t.TIMES and source in t.TEXTS:
        return _text_to_time(value, kind, plain, is_try=is_try)
    if t.is_list(kind) and t.is_list(source):
        inner = convert(b.name("_e"), t.element(source), t.element(kind), is_try=is_try)
        return b.each(value, inner, "_e")
    raise refused(f"A cast of {source} to {kind}")


def _text_to_decimal(value: exp.Expr, spark: str, plain: Any) -> exp.Expr:
    # Sail reads no exponent in a DECIMAL.
    has_exponent = exp.RegexpLike(this=b.wrap(value), expression=b.text("[eE]"))
    read = plain(plain(value.copy(), "DOUBLE"), spark)
    return b.when((has_exponent, read), default=plain(value.copy(), spark))


def _to_text(value: exp.Expr, source: str) -> exp.Expr:
    if source in t.FLOATS:
        raise refused(
            f"A cast of {source} to VARCHAR",
            "the engines write such numbers otherwise",
            hint="Cast to a DECIMAL first, such as: x::decimal(18, 6)::varchar",
        )
    if source == t.TIMESTAMPTZ:
        return b.call("concat", b.cast(value, "STRING"), b.text("+00"))
    if source == "BOOLEAN" or t.is_number(source) or source in t.TIMES:
        return b.cast(value, "STRING")
    raise refused(f"A cast of {source} to VARCHAR", "the engines write such values otherwise")


def _text_to_boolean(value: exp.Expr, *, is_try: bool) -> exp.Expr:
    low = b.call("lower", value)
    other = None if is_try else b.cast(value, "BOOLEAN")

    def among(words: tuple[str, ...]) -> exp.Expr:
        return exp.In(this=low.copy(), expressions=[b.text(word) for word in words])

    true, false = exp.Boolean(this=True), exp.Boolean(this=False)
    return b.when((among(_TRUE), true), (among(_FALSE), false), default=other)


def _text_to_time(value: exp.Expr, kind: str, plain: Any, *, is_try: bool) -> exp.Expr:
    pattern = rf"^\s*\d{{4}}-\d{{1,2}}-\d{{1,2}}{_CLOCK}?{_ZONE}\s*$"
    if kind == "DATE":
        pattern = rf"^\s*\d{{4}}-\d{{1,2}}-\d{{1,2}}({_CLOCK}{_ZONE})?\s*$"
    spark = t.spark_type(kind)
    # With an offset a text names an instant, which in UTC is also a wall clock.
    read = plain(b.call("trim", value), "TIMESTAMP")
    if kind != t.TIMESTAMPTZ:
        read = b.cast(read, str(spark))
    is_iso = exp.RegexpLike(this=b.wrap(value), expression=b.text(pattern))
    if is_try:
        return b.when((is_iso, read))
    other = b.call("raise_error", b.text("There is a text that is no time as in ISO 8601"))
    absent = b.is_null(value)
    return b.when((b.either(absent, is_iso), read), default=b.cast(other, str(spark)))


def _typed_null(kind: str) -> exp.Expr:
    spark = t.spark_type(kind)
    if spark is None:
        raise refused(f"The type {kind}", "Spark has no such type")
    return b.null() if spark == "VOID" else b.cast(b.null(), spark)


def _constant_cast(rewriter: Rewriter, known: str, kind: str, *, is_try: bool) -> exp.Expr:
    """Let DuckDB read a text that stands in the query."""
    quoted = known.replace("'", "''")
    cast = "try_cast" if is_try else "cast"
    spark = t.spark_type(kind)
    if spark is None or t.is_nested(kind):
        raise refused(f"A cast of a text to {kind}")
    read = rewriter.duck.value(f"{cast}({cast}('{quoted}' as {kind}) as varchar)")
    if read is None:
        return b.cast(b.null(), spark)
    text = str(read)
    if "infinity" in text and kind in t.TIMES:
        raise refused("An infinite time", "Spark has none")
    if kind in t.TIMES and (re.match(r"-|\+?\d{5}", text) or "BC" in text):
        raise refused(f"The time {text}", "it is not of the years 1 to 9999")
    return b.cast(b.text(text), spark)
