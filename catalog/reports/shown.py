"""How values are shown: numbers with few digits, nothing as a dash, times without their zeros."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from catalog.statements import statement

NOTHING: Final = "–"
_COMMENT: Final = re.compile(r"comment on column (\w+)\.(\w+) is '((?:[^']|'')*)'")
_VIEWS: Final = ("metrics", "leaderboard", "strategy_index", "trace_files", "strategies")


def shown(value: Any) -> str:
    """Return a value as people read it."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        text = f"{value:%Y-%m-%d %H:%M}"
        return text.removesuffix(" 00:00")
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else str(value)


def percent(value: float | None) -> str:
    """Return a fraction in percent."""
    return NOTHING if value is None else f"{100 * value:,.1f} %"


def exact(value: Any) -> str:
    """Return a value whole, as configurations say it: no digit of a parameter is left out."""
    if isinstance(value, bool) or value is None:
        return shown(value)
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def counted(number: int, noun: str) -> str:
    """Return how many of something there are, with its noun in the right number."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def one(value: float | None) -> str:
    """Return a number with one decimal."""
    return NOTHING if value is None else f"{value:,.1f}"


def two(value: float | None) -> str:
    """Return a number with two decimals, as ratios and probabilities are told."""
    return NOTHING if value is None else f"{value:,.2f}"


def meaning(column: str) -> str:
    """Return what a column of the figures of a strategy holds, an empty text where none says so."""
    return _meanings().get(column, "")


@cache
def _meanings() -> dict[str, str]:
    """Return the comments that the columns of the views have: one text says it everywhere."""
    found: dict[str, str] = {}
    for view, column, text in _COMMENT.findall(statement("comments")):
        if view in _VIEWS:
            found.setdefault(column, text.replace("''", "'"))
    return found


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "shown": shown,
    "percent": percent,
    "one": one,
    "two": two,
    "exact": exact,
    "counted": counted,
    "meaning": meaning,
}
"""What templates may write behind a `|`."""
