"""LIKE, GLOB and regular expressions, whose patterns have to stand in the query."""

from __future__ import annotations

import re

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark.expressions import Call, rewrites
from catalog.spark.nodes import constant
from catalog.spark.patterns import from_glob, from_like, portable


@rewrites("~~", "!~~", "~~*", "!~~*", "like_escape", "not_like_escape", "ilike_escape",
          "not_ilike_escape")  # fmt: skip
def rewrite_like(call: Call) -> exp.Expr:
    """Rewrite LIKE and ILIKE; the backslash is a sign like any other in DuckDB."""
    escape = call.literal(2, "the escape") if call.count == 3 else None
    ignores_case = "*" in call.name or "ilike" in call.name
    value, pattern = call.arg_as(0, "VARCHAR"), constant(call.nodes[1])
    if isinstance(pattern, str):
        like = b.text(from_like(pattern, escape))
    elif escape is None:
        like = b.call("replace", call.arg(1), b.text("\\"), b.text("\\\\"))
    else:
        raise call.refuse("its pattern has to stand in the query")
    made = (exp.ILike if ignores_case else exp.Like)(this=b.wrap(value), expression=b.wrap(like))
    return b.negate(made) if call.name.startswith(("!", "not")) else made


@rewrites("~~~")
def rewrite_glob(call: Call) -> exp.Expr:
    """Rewrite GLOB."""
    return _matches(call.arg(0), from_glob(call.literal(1, "the pattern of GLOB")))


def _matches(value: exp.Expr, pattern: str) -> exp.Expr:
    return exp.RegexpLike(this=b.wrap(value), expression=b.text(pattern))


def _pattern(call: Call, options_at: int) -> str:
    options = call.literal(options_at, "the options") if call.count > options_at else ""
    return portable(_checked(call), options)


def _checked(call: Call) -> str:
    """Return a regular expression that DuckDB understands: what it says of others is raised."""
    pattern = call.literal(1, "the regular expression")
    quoted = pattern.replace("'", "''")
    call.rewriter.duck.value(f"regexp_matches('', '{quoted}')")
    return pattern


@rewrites("regexp_matches")
def rewrite_regexp_matches(call: Call) -> exp.Expr:
    """Rewrite whether a pattern is found anywhere."""
    return _matches(call.arg(0), _pattern(call, 2))


@rewrites("regexp_full_match")
def rewrite_regexp_full_match(call: Call) -> exp.Expr:
    """Rewrite whether a pattern is all of a text; SIMILAR TO is this too."""
    return _matches(call.arg(0), f"\\A(?:{_pattern(call, 2)})\\z")


@rewrites("regexp_extract", "regexp_extract_all")
def rewrite_regexp_extract(call: Call) -> exp.Expr:
    """Rewrite what a pattern finds: the whole of it where no group is named."""
    if call.count > 2 and not isinstance(constant(call.nodes[2]), int):
        raise call.refuse("its group has to be a number that stands in the query")
    group = call.whole(2, "the group") if call.count > 2 else 0
    pattern = _pattern(call, 3)
    if not 0 <= group <= re.compile(pattern.replace(r"\z", r"\Z")).groups:
        raise call.refuse(f"its regular expression has no group {group}")
    return b.call(call.name, call.arg(0), b.text(pattern), b.number(group))


@rewrites("regexp_replace")
def rewrite_regexp_replace(call: Call) -> exp.Expr:
    """Rewrite a replacement: of the first that is found, unless the option g is there."""
    options = call.literal(3, "the options") if call.count > 3 else ""
    pattern = portable(_checked(call), options.replace("g", ""))
    pieces = re.split(r"(\\[0-9])", call.literal(2, "what replaces it"))
    if any("\\" in one for one in pieces[::2]):
        raise call.refuse("with such a replacement")
    if "g" not in options:
        return _replace_first(call, pattern, pieces)
    # Spark's engines name groups $1, up to the next sign that no name may have.
    follows = any(re.match(r"\w", one) for one in pieces[2::2])
    if "$" in "".join(pieces) or "\\0" in pieces or follows:
        raise call.refuse("with such a replacement and the option g")
    written = "".join(one.replace("\\", "$") for one in pieces)
    return b.call("regexp_replace", call.arg(0), b.text(pattern), b.text(written))


def _replace_first(call: Call, pattern: str, pieces: list[str]) -> exp.Expr:
    """Return a text with the first match replaced: what is before it, the new, what is behind."""
    flags = "(?i)" if pattern.startswith("(?i)") else ""
    bare = pattern.removeprefix("(?i)")
    value = call.arg(0)

    def found(head: str, group: int) -> exp.Expr:
        text = b.text(f"{flags}\\A{head}")
        return b.call("regexp_extract", value.copy(), text, b.number(group))

    before = found(f"([\\s\\S]*?)(?:{bare})", 1)
    parts = [before]
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            parts += [b.text(piece)] if piece else []
        elif piece == "\\0":
            parts.append(found(f"[\\s\\S]*?({bare})", 1))
        else:
            parts.append(found(f"[\\s\\S]*?(?:{bare})", int(piece[1])))
    whole = b.call("char_length", found(f"[\\s\\S]*?(?:{bare})", 0))
    parts.append(b.call("substring", value.copy(), b.add(whole, b.number(1))))
    return b.when((_matches(value, pattern), b.call("concat", *parts)), default=value.copy())


@rewrites("regexp_split_to_array", "string_split_regex", "str_split_regex")
def rewrite_regexp_split(call: Call) -> exp.Expr:
    """Rewrite splitting at a pattern."""
    pattern = _pattern(call, 2)
    if re.match(pattern.replace(r"\z", r"\Z"), ""):
        raise call.refuse("at what may be empty")
    return b.call("split", call.arg(0), b.text(pattern))
