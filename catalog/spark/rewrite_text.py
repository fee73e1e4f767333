"""Text: joining, cutting and finding, with DuckDB's positions."""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.expressions import Call, rewrites
from catalog.spark.nodes import constant, is_null
from catalog.spark.refuse import refused

MANY_CAPITALS: Final = "ŉǰ\u0390ΰևẖ-ẚὐὒὔὖᾀ-ᾯᾲ-ᾴᾶᾷᾼῂ-ῄῆῇῌῒ\u1fd3ῖῗῢ\u1fe3ῤῦῧῲ-ῴῶῷῼﬀ-ﬆﬓ-ﬗ"
"""Letters, as a class of a regular expression, whose capitals are more than one; but ß."""


@rewrites("split", "string_split", "str_split", "string_to_array")
def rewrite_split(call: Call) -> exp.Expr:
    """Rewrite splitting at a text."""
    separator = call.literal(1, "the separator")
    if not separator:
        raise call.refuse("at an empty text")
    return b.call("split", call.arg(0), b.text(re.escape(separator)))


@rewrites("split_part")
def rewrite_split_part(call: Call) -> exp.Expr:
    """Rewrite one part of a split text; Spark fails at part 0, DuckDB has none there."""
    part = call.whole(2, "the part")
    if not call.literal(1, "the separator"):
        raise call.refuse("at an empty text")
    if part == 0:
        return b.when((b.is_not_null(call.arg(0)), b.text("")))
    return b.call("split_part", call.arg(0), call.arg(1), b.number(part))


@rewrites("||")
def rewrite_join(call: Call) -> exp.Expr:
    """Rewrite `||`, which is NULL where either side is, of texts and of lists."""
    if is_null(call.nodes[0]) or is_null(call.nodes[1]):
        return b.null()
    if t.is_list(call.result):
        return b.call("concat", call.arg_as(0, call.result), call.arg_as(1, call.result))
    return b.call("concat", call.arg_as(0, "VARCHAR"), call.arg_as(1, "VARCHAR"))


@rewrites("concat", "concat_ws")
def rewrite_concat(call: Call) -> exp.Expr:
    """Rewrite concat, which passes over NULL."""
    if call.name == "concat" and t.is_list(call.result):
        from catalog.spark.rewrite_lists import join_lists

        return join_lists(call)
    values = [call.arg_as(at, "VARCHAR") for at in range(call.count) if not is_null(call.nodes[at])]
    if call.name == "concat_ws":
        if is_null(call.nodes[0]):
            return b.cast(b.null(), "STRING")
        return b.call("concat_ws", *values)
    return b.call("concat_ws", b.text(""), *values)


@rewrites("lower", "lcase")
def rewrite_lower(call: Call) -> exp.Expr:
    """Rewrite small letters: Spark has two for a dotted I, and another sigma at a word's end."""
    return b.call("lower", b.call("translate", call.arg(0), b.text("İΣ"), b.text("iσ")))


@rewrites("upper", "ucase")
def rewrite_upper(call: Call) -> exp.Expr:
    """Rewrite capitals: Spark writes some letters as two or three, which DuckDB does not."""
    value = call.arg(0)
    odd = exp.RegexpLike(this=b.wrap(value), expression=b.text(f"[{MANY_CAPITALS}]"))
    error = b.call("raise_error", b.text("There is a text that has other capitals in Spark"))
    made = b.call("upper", b.call("translate", value.copy(), b.text("ß"), b.text("ẞ")))
    return b.when((odd, b.cast(error, "STRING")), default=made)


@rewrites("substring", "substr")
def rewrite_substring(call: Call) -> exp.Expr:
    """Rewrite a piece of a text: position 0 is before the first sign."""
    value, start = call.arg(0), constant(call.nodes[1])
    length = constant(call.nodes[2]) if call.count == 3 else None
    if isinstance(length, int) and length < 0:
        raise call.refuse("with a length below zero")
    if isinstance(start, int) and start > 0:
        if call.count == 3 and length is None:
            return b.call("substring", value, b.number(start), b.cast(call.arg(2), "INT"))
        return b.call("substring", value, b.number(start), *_given(length))
    if isinstance(start, int) and start == 0:
        if call.count == 3 and length is None:
            raise call.refuse("from position 0 with a length that is no number in the query")
        return b.call(
            "substring",
            value,
            b.number(1),
            *_given(None if length is None else max(int(length) - 1, 0)),
        )
    if isinstance(start, int):
        # Spark counts from before the beginning where the text is shorter.
        size = b.call("char_length", value.copy())
        first = b.call("greatest", b.add(size, b.number(start + 1)), b.number(1))
        if isinstance(length, int):
            kept = b.call("least", b.number(length), b.add(size.copy(), b.number(start + length)))
            return b.call("substring", value, first, b.call("greatest", kept, b.number(0)))
        if call.count == 3:
            raise call.refuse("from the end, with a length that is no number in the query")
        return b.call("substring", value, first)
    raise call.refuse("from a position that is no number in the query")


def _given(length: object) -> list[exp.Expr]:
    return [b.number(length)] if isinstance(length, int) else []


@rewrites("left", "right")
def rewrite_left(call: Call) -> exp.Expr:
    """Rewrite the first or last signs; a number below zero leaves so many out."""
    count, value = call.whole(1, "how many"), call.arg(0)
    size = b.call("char_length", value.copy())
    rest = b.call("greatest", b.subtract(size, b.number(abs(count))), b.number(0))
    if call.name.startswith("left"):
        return b.call("substring", value, b.number(1), b.number(count) if count >= 0 else rest)
    if count >= 0:
        return b.call("substring", value, b.add(rest, b.number(1)))
    return b.call("substring", value, b.number(1 - count))


@rewrites("lpad", "rpad")
def rewrite_pad(call: Call) -> exp.Expr:
    """Rewrite filling up to a length."""
    if not call.literal(2, "what fills it up"):
        raise call.refuse("with an empty text")
    return b.call(call.name, call.arg(0), b.cast(call.arg(1), "INT"), call.arg(2))


@rewrites("repeat")
def rewrite_repeat(call: Call) -> exp.Expr:
    """Rewrite repeating a text."""
    if call.type(0) not in t.TEXTS:
        raise call.refuse("of a list")
    times = b.call("greatest", b.cast(call.arg(1), "INT"), b.number(0))
    both = b.both(b.is_not_null(call.arg(0)), b.is_not_null(call.arg(1)))
    return b.when((both, b.call("repeat", call.arg(0), times)))


@rewrites("reverse")
def rewrite_reverse(call: Call) -> exp.Expr:
    """Rewrite reading backwards."""
    return b.call("reverse", call.arg(0))


@rewrites("instr", "strpos", "position")
def rewrite_position(call: Call) -> exp.Expr:
    """Rewrite where a text is found in another, 0 where it is not."""
    return b.cast(b.call("instr", call.arg(0), call.arg(1)), "BIGINT")


@rewrites("trim", "ltrim", "rtrim")
def rewrite_trim(call: Call) -> exp.Expr:
    """Rewrite taking signs off the ends; without any these are spaces."""
    signs = call.literal(1, "what is taken off") if call.count == 2 else " "
    if not signs:
        return call.arg(0)
    members = "".join("\\" + sign if sign in "\\]^[-&~" else sign for sign in signs)
    left, right = f"\\A[{members}]+", f"[{members}]+\\z"
    pattern = {"trim": f"{left}|{right}", "ltrim": left, "rtrim": right}[call.name]
    return b.call("regexp_replace", call.arg(0), b.text(pattern), b.text(""))


@rewrites("replace")
def rewrite_replace(call: Call) -> exp.Expr:
    """Rewrite replacing a text: an empty one is found nowhere."""
    made = b.call("replace", *call.args())
    if constant(call.nodes[1]):
        return made
    empty = b.equal(call.arg(1), b.text(""))
    return b.when((empty, call.arg(0)), default=made)


@rewrites("contains")
def rewrite_contains(call: Call) -> exp.Expr:
    """Rewrite whether a text holds another, or a list a value."""
    if t.is_list(call.type(0)):
        from catalog.spark.rewrite_lists import rewrite_contains as of_list

        return of_list(call)
    if call.type(0) not in t.TEXTS:
        raise call.refuse(f"of {call.type(0)}")
    return b.call("contains", call.arg(0), call.arg(1))


@rewrites("translate")
def rewrite_translate(call: Call) -> exp.Expr:
    """Rewrite exchanging signs."""
    return b.call("translate", *call.args())


@rewrites("chr")
def rewrite_chr(call: Call) -> exp.Expr:
    """Rewrite the sign of a number; beyond 255 Spark begins anew."""
    if not 0 < call.whole(0, "the number") < 128:
        raise call.refuse("of a number that is none of ASCII")
    return b.call("chr", call.arg(0))


@rewrites("hex", "to_hex")
def rewrite_hex(call: Call) -> exp.Expr:
    """Rewrite hexadecimal digits."""
    if call.type(0) not in {"VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"}:
        raise call.refuse(f"of {call.type(0)}")
    return b.call("hex", call.arg(0))


@rewrites("sha256")
def rewrite_sha256(call: Call) -> exp.Expr:
    """Rewrite the digest of a text."""
    return b.call("sha2", call.arg_as(0, "VARCHAR"), b.number(256))


@rewrites("len", "length", "char_length", "character_length", "array_length")
def rewrite_length(call: Call) -> exp.Expr:
    """Rewrite how long a text is, or a list."""
    kind = call.type(0)
    if call.count != 1:
        raise call.refuse("of a dimension")
    if t.is_list(kind) or t.is_map(kind):
        return b.when((b.is_not_null(call.arg(0)), b.cast(b.call("size", call.arg(0)), "BIGINT")))
    if kind not in t.TEXTS:
        raise refused(f"The function {call.name} of {kind}")
    return b.cast(b.call("char_length", call.arg(0)), "BIGINT")


@rewrites("^@")
def rewrite_begins(call: Call) -> exp.Expr:
    """Rewrite `^@`, whether a text begins with another."""
    return b.call("startswith", call.arg(0), call.arg(1))
