"""How values are shown: numbers with few digits, nothing as a dash, times without their zeros."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

NOTHING: Final = "–"


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


FILTERS: Final[dict[str, Callable[..., str]]] = {"shown": shown, "percent": percent}
"""What templates may write behind a `|`."""
