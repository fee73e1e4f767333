"""Intervals: months, and microseconds, added to a time; by themselves Spark has other ones."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.expressions import Call, rewrites
from catalog.spark.nodes import arguments, constant
from catalog.spark.refuse import refused
from catalog.spark.rewrite_times import DAY, MICROS, instant, micros, moment


def is_interval(kind: str) -> bool:
    """Whether it is the type of a stretch of time."""
    return kind == "INTERVAL"


@rewrites("date_add")
def rewrite_date_add(call: Call) -> exp.Expr:
    """Rewrite a time and an interval."""
    return add_interval(call, 0, 1, minus=False)


_INTERVALS: Final = {
    "to_years": 12, "to_quarters": 3, "to_months": 1, "to_decades": 120, "to_centuries": 1_200,
    "to_millennia": 12_000,
}  # fmt: skip


_STRETCHES: Final = {
    "to_weeks": 7 * DAY, "to_days": DAY, "to_hours": 3_600_000_000, "to_minutes": 60_000_000,
    "to_seconds": 1_000_000, "to_milliseconds": 1_000, "to_microseconds": 1,
}  # fmt: skip


@rewrites(*_INTERVALS, *_STRETCHES)
def rewrite_interval(call: Call) -> exp.Expr:
    """Refuse an interval by itself."""
    raise call.refuse("an interval is only added to a time")


def add_interval(call: Call, time: int, interval: int, *, minus: bool) -> exp.Expr:
    """Return a time with an interval added to it."""
    months, stretch = _interval(call, call.nodes[interval], -1 if minus else 1)
    value = instant(call, time)
    if months is not None:
        clock = b.call("pmod", micros(value), b.number(DAY))
        day = b.call("add_months", b.cast(value.copy(), "DATE"), months)
        total = b.add(micros(b.cast(day, "TIMESTAMP")), clock)
    else:
        total = micros(value)
    if stretch is not None:
        total = b.add(total, stretch)
    return moment(total, call.result)


def _interval(call: Call, node: Node, sign: int) -> tuple[exp.Expr | None, exp.Expr | None]:
    """Return the months of an interval, and its microseconds, None where there are none."""
    name = node.get("function_name")
    if node["class"] == "CAST" and isinstance(text := constant(node["child"]), str):
        return _constant_interval(call, text, sign)
    if node["class"] == "FUNCTION" and name in _INTERVALS:
        return _scaled(call, arguments(node)[0], sign * _INTERVALS[name], "INT"), None
    if node["class"] == "FUNCTION" and name in _STRETCHES:
        return None, _scaled(call, arguments(node)[0], sign * _STRETCHES[name], "BIGINT")
    if node["class"] == "FUNCTION" and name == "-" and len(arguments(node)) == 1:
        return _interval(call, arguments(node)[0], -sign)
    raise refused(
        "An interval that is worked out in the query",
        "write to_days(n), to_seconds(n), … or interval 3 day",
    )


def _constant_interval(call: Call, text: str, sign: int) -> tuple[exp.Expr | None, exp.Expr | None]:
    written = "interval '" + text.replace("'", "''") + "'"
    duck = call.rewriter.duck
    months = int(duck.value(f"(date_part('year', {written}) * 12 + date_part('month', {written}))"))
    parts = f"date_part('day', {written}) * {DAY} + date_part('hour', {written}) * 3600000000"
    parts += f" + date_part('minute', {written}) * 60000000 + date_part('microsecond', {written})"
    rest = int(duck.value(f"({parts})::bigint"))
    return (
        b.number(sign * months) if months else None,
        b.number(sign * rest) if rest or not months else None,
    )


def _scaled(call: Call, node: Node, size: int, kind: str) -> exp.Expr:
    # `interval n day` is to_days(cast(trunc(cast(n as double)) as integer)).
    if node["class"] == "CAST" and node["child"]["class"] == "FUNCTION":
        inner = node["child"]
        if inner["function_name"] == "trunc":
            node = arguments(inner)[0]
    if node["class"] == "CAST":
        mine = call.rewriter.type_of(node["child"], call.scope)
        if mine in t.INTEGERS:
            node = node["child"]
    known = constant(node)
    if isinstance(known, int):
        return b.number(known * size)
    mine = call.rewriter.type_of(node, call.scope)
    value = call.rewriter.rewrite(node, call.scope)
    if mine in t.INTEGERS:
        return b.cast(b.multiply(b.cast(value, "BIGINT"), b.number(size)), kind)
    if kind == "BIGINT" and abs(size) <= MICROS["second"]:
        scaled = b.multiply(b.cast(value, "DOUBLE"), b.cast(b.text(str(size)), "DOUBLE"))
        return b.cast(b.call("bround", scaled), "BIGINT")
    raise refused("An interval of a fraction")
