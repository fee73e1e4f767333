"""Regular expressions: RE2's, written so that Java's and Rust's mean the same."""

from __future__ import annotations

import re
from typing import Final

from catalog.spark.refuse import refused

_CLASSES: Final = {"d": "0-9", "w": "0-9A-Za-z_", "s": "\\t\\n\\f\\r "}
_POSIX: Final = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z",
    "space": "\\t\\n\\x0B\\f\\r ", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SIGNS: Final = frozenset(".^$*+?()[]{}|\\/-&~#@!%=:;<>,'\"` _")


def portable(pattern: str, options: str = "") -> str:
    """
    Return a pattern that matches in every engine what it matches in DuckDB.

    `\\d`, `\\w` and `\\s` are ASCII's, `.` is everything but the line's end, `$` the text's end.

    Raises:
        QueryError: it holds what the engines take differently.
    """
    for option in options:
        if option not in "cgi":
            raise refused(f"The option {option!r} of a regular expression")
    written, at = "", 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            piece, at = _escape(pattern, at)
            written += piece
        elif sign == "[":
            piece, at = _class(pattern, at)
            written += piece
        elif sign == ".":
            written, at = written + "[^\\n]", at + 1
        elif sign == "$":
            written, at = written + "\\z", at + 1
        elif sign == "^":
            written, at = written + "\\A", at + 1
        elif pattern.startswith("(?", at):
            head = re.compile(r"\(\?(:|i\)|P<(\w+)>)").match(pattern, at)
            if head is None:
                raise refused(f"The regular expression {pattern!r}", "its group is of a rare kind")
            written, at = written + ("(" if head[2] else head[0]), head.end()
        else:
            written, at = written + sign, at + 1
    return ("(?i)" if "i" in options else "") + written


def _escape(pattern: str, at: int) -> tuple[str, int]:
    sign = pattern[at + 1 : at + 2]
    if sign in _CLASSES:
        return f"[{_CLASSES[sign]}]", at + 2
    if sign.lower() in _CLASSES:
        return f"[^{_CLASSES[sign.lower()]}]", at + 2
    if sign in ("n", "t", "r", "f", "b", "z", "A") or (sign in _SIGNS and sign):
        return ("\\" + sign if sign not in " _'\"`/%=:;<>,@!" else sign), at + 2
    raise refused(f"The regular expression {pattern!r}", f"the engines differ on \\{sign}")


def _class(pattern: str, at: int) -> tuple[str, int]:
    written, at = "[", at + 1
    if pattern[at : at + 1] == "^":
        written, at = written + "^", at + 1
    if pattern[at : at + 1] == "]":
        written, at = written + "\\]", at + 1
    while pattern[at : at + 1] != "]":
        if at >= len(pattern):
            raise refused(f"The regular expression {pattern!r}", "a class in it does not end")
        if posix := re.compile(r"\[:(\w+):\]").match(pattern, at):
            if posix[1] not in _POSIX:
                raise refused(f"The class [:{posix[1]}:] in a regular expression")
            written, at = written + _POSIX[posix[1]], posix.end()
        elif pattern[at] == "\\":
            sign = pattern[at + 1 : at + 2]
            if sign in _CLASSES:
                written += _CLASSES[sign]
            elif sign.isalpha() and sign not in "ntrf":
                raise refused(f"The regular expression {pattern!r}", f"it has \\{sign} in a class")
            else:
                written += "\\" + sign
            at += 2
        else:
            # Java takes [ and && inside a class for more classes, Rust also -- and ~~.
            sign = pattern[at]
            written += "\\" + sign if sign in "[&~" else sign
            at += 1
    return written + "]", at + 1


def from_glob(pattern: str) -> str:
    """Return a pattern for the whole of a text from one of GLOB."""
    written, at = "", 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "*":
            written += "[\\s\\S]*"
        elif sign == "?":
            written += "[\\s\\S]"
        elif sign in "[\\":
            raise refused(f"The pattern {pattern!r} of GLOB", "it may hold * and ? only")
        else:
            written += re.escape(sign)
        at += 1
    return f"\\A{written}\\z"


def from_like(pattern: str, escape: str | None) -> str:
    """Return a LIKE pattern whose escape is the backslash, as Spark has it."""
    written, at = "", 0
    while at < len(pattern):
        sign = pattern[at]
        if escape and sign == escape:
            following = pattern[at + 1 : at + 2]
            written += ("\\" + following) if following in ("%", "_", "\\") else following
            at += 2
            continue
        written += "\\\\" if sign == "\\" else sign
        at += 1
    return written
