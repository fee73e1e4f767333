"""
Dates and times. The session's time zone is UTC, in DuckDB and in Spark.

Parts, differences and sums are worked out on microseconds since 1970, which no engine reads
otherwise; a wall clock (TIMESTAMP) is taken for a moment of UTC on the way.
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.expressions import Call, rewrites
from catalog.spark.refuse import refused
from catalog.spark.rewrite_casts import convert

DAY: Final = 86_400_000_000
MICROS: Final = {
    "microsecond": 1, "millisecond": 1_000, "second": 1_000_000, "minute": 60_000_000,
    "hour": 3_600_000_000, "day": DAY, "week": 7 * DAY,
}  # fmt: skip
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200,
                  "millennium": 12_000}  # fmt: skip
_SHORT: Final = {
    "us": "microsecond", "usec": "microsecond", "ms": "millisecond", "msec": "millisecond",
    "s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "hr": "hour",
    "d": "day", "dayofmonth": "day", "w": "week", "weekofyear": "week", "mon": "month",
    "y": "year", "yr": "year", "dow": "dayofweek", "weekday": "dayofweek", "doy": "dayofyear",
    "dec": "decade", "cent": "century", "mil": "millennium", "qtr": "quarter",
}  # fmt: skip
_PARTS: Final = {"year": "year", "quarter": "quarter", "month": "month", "day": "day",
                 "week": "weekofyear", "dayofyear": "dayofyear"}  # fmt: skip
_FORMATS: Final = {
    "Y": "yyyy", "y": "yy", "m": "MM", "d": "dd", "H": "HH", "M": "mm", "S": "ss", "f": "SSSSSS",
    "g": "SSS", "j": "DDD", "b": "MMM", "B": "MMMM", "a": "EEE", "A": "EEEE", "p": "a", "I": "hh",
    "-d": "d", "-m": "M", "-H": "H", "-M": "m", "-S": "s", "-I": "h", "F": "yyyy-MM-dd",
    "T": "HH:mm:ss",
}  # fmt: skip


def unit(word: str) -> str:
    """Return a unit of time by any of DuckDB's names for it."""
    low = word.lower()
    for one in (low, low.removesuffix("s")):
        if one in _SHORT:
            return _SHORT[one]
        if one in MICROS or one in _MONTHS:
            return one
    return {"centuries": "century", "millennia": "millennium"}.get(low, low)


def _time(call: Call, number: int) -> str:
    kind = call.type(number)
    if kind not in t.TIMES:
        raise call.refuse(f"of {kind}")
    return kind


def instant(call: Call, number: int) -> exp.Expr:
    """Return an argument as a moment."""
    kind = _time(call, number)
    return convert(call.arg(number), kind, t.TIMESTAMPTZ)


def micros(value: exp.Expr) -> exp.Expr:
    """Return the microseconds since 1970 of a moment."""
    return b.call("unix_micros", value)


def moment(value: exp.Expr, kind: str) -> exp.Expr:
    """Return the moment of microseconds since 1970, in a type of DuckDB's."""
    return convert(b.call("timestamp_micros", value), t.TIMESTAMPTZ, kind)


def _floor(value: exp.Expr, size: int) -> exp.Expr:
    """Return how many whole units, downwards also below zero."""
    if size == 1:
        return value
    rest = b.call("pmod", value.copy(), b.number(size))
    return b.divide_whole(b.subtract(value, rest), b.number(size))


@rewrites(
    "year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond", "quarter",
    "week", "weekofyear", "dayofweek", "weekday", "isodow", "dayofmonth", "dayofyear", "isoyear",
    "yearweek", "decade", "century", "millennium", "era", "epoch", "epoch_us", "epoch_ns",
)  # fmt: skip
def rewrite_part(call: Call) -> exp.Expr:
    """Rewrite a part of a time."""
    if call.name in ("epoch_us", "epoch_ns"):
        value = micros(instant(call, 0))
        return value if call.name == "epoch_us" else b.multiply(value, b.number(1000))
    return _part(call, unit(call.name), 0)


@rewrites("date_part", "datepart", "extract")
def rewrite_date_part(call: Call) -> exp.Expr:
    """Rewrite a part of a time by its name."""
    return _part(call, unit(call.literal(0, "the part")), 1)


def _part(call: Call, part: str, number: int) -> exp.Expr:
    kind = _time(call, number)
    value = convert(call.arg(number), kind, t.TIMESTAMPTZ)
    if part in _PARTS:
        made = b.call(_PARTS[part], value)
    elif part == "epoch":
        return b.binary(exp.Div, b.cast(micros(value), "DOUBLE"), b.cast(b.text("1e6"), "DOUBLE"))
    elif part in ("hour", "minute"):
        made = b.call(part, value)
    elif part in ("second", "millisecond", "microsecond"):
        inside = b.call("pmod", micros(value), b.number(60_000_000))
        made = _floor(inside, MICROS[part])
    elif part == "dayofweek":
        made = b.subtract(b.call("dayofweek", value), b.number(1))
    elif part == "isodow":
        made = b.add(_weekday(value), b.number(1))
    elif part in ("isoyear", "yearweek"):
        # The year of the week's Thursday.
        day = b.cast(value, "DATE")
        thursday = b.call("date_add", day, b.subtract(b.number(3), _weekday(day.copy())))
        made = b.call("year", thursday)
        if part == "yearweek":
            week = b.call("weekofyear", value.copy())
            made = b.add(b.multiply(made, b.number(100)), week)
    elif part == "decade":
        made = b.divide_whole(b.call("year", value), b.number(10))
    elif part in ("century", "millennium"):
        size = 100 if part == "century" else 1000
        before = b.subtract(b.call("year", value), b.number(1))
        made = b.add(b.divide_whole(before, b.number(size)), b.number(1))
    else:
        raise refused(f"The part {part} of a time")
    return b.cast(made, "BIGINT")


def _weekday(value: exp.Expr) -> exp.Expr:
    """Return the day of the week, 0 on Monday: Sail's weekday is wrong before 1970."""
    return b.call("pmod", b.add(b.call("dayofweek", value), b.number(5)), b.number(7))


@rewrites("epoch_ms")
def rewrite_epoch_ms(call: Call) -> exp.Expr:
    """Rewrite milliseconds since 1970, of a time or as one."""
    if call.type(0) in t.INTEGERS:
        return moment(b.multiply(call.arg_as(0, "BIGINT"), b.number(1000)), call.result)
    # DuckDB rounds, away from 1970 where half is left.
    count, half = micros(instant(call, 0)), b.number(500)
    before = exp.Neg(this=b.wrap(_floor(b.subtract(half, count), 1000)))
    is_before = exp.LT(this=count.copy(), expression=b.number(0))
    return b.when((is_before, before), default=_floor(b.add(count.copy(), half.copy()), 1000))


@rewrites("to_timestamp")
def rewrite_to_timestamp(call: Call) -> exp.Expr:
    """Rewrite seconds since 1970 as a moment."""
    scaled = b.multiply(call.arg_as(0, "DOUBLE"), b.cast(b.text("1e6"), "DOUBLE"))
    return moment(b.cast(b.call("bround", scaled), "BIGINT"), t.TIMESTAMPTZ)


@rewrites("make_timestamp")
def rewrite_make_timestamp(call: Call) -> exp.Expr:
    """Rewrite microseconds since 1970 as a wall clock."""
    if call.count != 1:
        raise call.refuse("of parts: write a text and cast it")
    return moment(call.arg_as(0, "BIGINT"), "TIMESTAMP")


@rewrites("date", "timestamp")
def rewrite_as_time(call: Call) -> exp.Expr:
    """Rewrite a cast that is written as a function."""
    return call.arg_as(0, call.name.upper())


@rewrites("date_trunc", "datetrunc")
def rewrite_date_trunc(call: Call) -> exp.Expr:
    """Rewrite the beginning of the unit that a time lies in."""
    part = unit(call.literal(0, "the unit"))
    if part in ("decade", "century", "millennium") or part not in {**MICROS, **_MONTHS}:
        raise call.refuse(f"to the {part}")
    return convert(b.call("date_trunc", b.text(part), instant(call, 1)), t.TIMESTAMPTZ, call.result)


def _number(call: Call, part: str, number: int) -> exp.Expr:
    """Return the number of the unit that a time lies in."""
    value = instant(call, number)
    if part in MICROS and part != "week":
        return _floor(micros(value), MICROS[part])
    if part == "week":
        # 1970 began on a Thursday.
        days = _floor(micros(value), DAY)
        return _floor(b.add(days, b.number(3)), 7)
    year = b.cast(b.call("year", value), "BIGINT")
    if part == "year":
        return year
    if part in ("month", "quarter"):
        return b.add(b.multiply(year, b.number(12 // _MONTHS[part])), b.call(part, value.copy()))
    raise call.refuse(f"in {part}")


@rewrites("date_diff", "datediff")
def rewrite_date_diff(call: Call) -> exp.Expr:
    """Rewrite how many beginnings of a unit lie between two times."""
    part = unit(call.literal(0, "the unit"))
    if part == "isoyear" or part in ("decade", "century", "millennium"):
        raise call.refuse(f"in {part}")
    return b.cast(b.subtract(_number(call, part, 2), _number(call, part, 1)), "BIGINT")


@rewrites("date_sub", "datesub")
def rewrite_date_sub(call: Call) -> exp.Expr:
    """Rewrite how many whole units fit between two times."""
    part = unit(call.literal(0, "the unit"))
    if part not in MICROS:
        raise call.refuse(f"in {part}")
    between = b.subtract(micros(instant(call, 2)), micros(instant(call, 1)))
    return b.divide_whole(between, b.number(MICROS[part]))


@rewrites("dayname", "monthname")
def rewrite_dayname(call: Call) -> exp.Expr:
    """Rewrite the name of a day or month."""
    return b.call(
        "date_format", instant(call, 0), b.text("EEEE" if call.name == "dayname" else "MMMM")
    )


@rewrites("strftime")
def rewrite_strftime(call: Call) -> exp.Expr:
    """Rewrite a time as text."""
    return b.call(
        "date_format", instant(call, 0), b.text(_format(call, call.literal(1, "the format")))
    )


def _format(call: Call, written: str) -> str:
    made, at, plain = "", 0, ""

    def quoted(text: str) -> str:
        if not any(sign.isalpha() or sign in "'[]{}#" for sign in text):
            return text
        doubled = text.replace("'", "''")
        return f"'{doubled}'"

    while at < len(written):
        if written[at] != "%":
            plain, at = plain + written[at], at + 1
            continue
        size = 3 if written[at + 1 : at + 2] == "-" else 2
        sign = written[at + 1 : at + size]
        if sign == "%":
            plain, at = plain + "%", at + 2
            continue
        if sign not in _FORMATS:
            raise call.refuse(f"with %{sign}")
        made, plain, at = made + quoted(plain) + _FORMATS[sign], "", at + size
    return made + quoted(plain)


@rewrites("strptime", "try_strptime")
def rewrite_strptime(call: Call) -> exp.Expr:
    """Rewrite a text that is read by a format."""
    written = call.literal(1, "the format")
    if any(
        sign in written
        for sign in ("%a", "%A", "%j", "%p", "%I", "%f", "%g", "%y", "%-", "%b", "%B")
    ):
        raise call.refuse("with such a format")
    name = "to_timestamp" if call.name == "strptime" else "try_to_timestamp"
    form = _format(call, written)
    if not re.search(r"%\w%", written):
        # One digit will do for what has two, unless the next number follows at once.
        form = re.sub(r"MM|dd|HH|mm|ss", lambda found: found[0][0], form)
    read = b.call(name, call.arg(0), b.text(form))
    return convert(read, t.TIMESTAMPTZ, call.result)


@rewrites("timezone")
def rewrite_timezone(call: Call) -> exp.Expr:
    """Rewrite `at time zone`: the wall clock of a moment there, or the moment of a wall clock."""
    if call.count != 2:
        raise call.refuse("of a time alone")
    zone, kind = call.literal(0, "the time zone"), call.type(1)
    if kind == t.TIMESTAMPTZ:
        there = b.call("from_utc_timestamp", call.arg(1), b.text(zone))
        return convert(there, t.TIMESTAMPTZ, "TIMESTAMP")
    clock = convert(call.arg(1), kind, t.TIMESTAMPTZ)
    first = b.call("to_utc_timestamp", clock, b.text(zone))
    # Where clocks are put back an hour is there twice: DuckDB takes the later one, Spark the other.
    later = b.call("timestamp_micros", b.add(micros(first), b.number(3_600_000_000)))
    is_there = b.equal(b.call("from_utc_timestamp", later, b.text(zone)), clock.copy())
    return b.when((is_there, later.copy()), default=first.copy())
