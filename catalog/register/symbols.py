"""Symbols and timeframes, written one way whatever a run called them."""

from __future__ import annotations

import re
from functools import lru_cache

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNITS = {
    "s": "s", "sec": "s", "second": "s", "seconds": "s",
    "m": "m", "t": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
    "h": "h", "hr": "h", "hour": "h", "hours": "h",
    "d": "d", "day": "d", "days": "d", "daily": "d",
    "w": "w", "wk": "w", "week": "w", "weeks": "w", "weekly": "w",
}  # fmt: skip
_TIMEFRAME = re.compile(r"(\d*)\s*([a-z]+)")
_SYMBOL = re.compile(r"(.+?)_(\d+[A-Za-z]+)")


# A run's files all say the same few things, over and over.
_remembered = lru_cache(maxsize=1024)


@_remembered
def normal_timeframe(raw: str | None) -> str | None:
    """
    Return a timeframe as a number and one of s, m, h, d, w; None where it is none.

    >>> normal_timeframe("5min"), normal_timeframe("60m"), normal_timeframe("daily")
    ('5m', '1h', '1d')
    """
    if raw is None:
        return None
    found = _TIMEFRAME.fullmatch(raw.strip().lower())
    if found is None or found[2] not in _UNITS:
        return None
    # pandas writes minutes as T or min and months as M: there is no trace of months.
    return timeframe_of(int(found[1] or 1) * _SECONDS[_UNITS[found[2]]])


def timeframe_of(seconds: float) -> str | None:
    """Return the timeframe of bars that are so many seconds long, None where it is odd."""
    whole = round(seconds)
    if whole <= 0 or abs(whole - seconds) > 1e-6:
        return None
    unit = max((u for u in _SECONDS if whole % _SECONDS[u] == 0), key=lambda u: _SECONDS[u])
    return f"{whole // _SECONDS[unit]}{unit}"


def seconds_of(timeframe: str) -> int:
    """Return how many seconds a bar of a normal timeframe is long."""
    return int(timeframe[:-1]) * _SECONDS[timeframe[-1]]


@_remembered
def split_symbol(raw: str | None) -> tuple[str | None, str | None]:
    """
    Return the symbol, and the timeframe where it was written behind it.

    >>> split_symbol("SPY_5m"), split_symbol("BRK_B"), split_symbol("ES_2025")
    (('SPY', '5m'), ('BRK_B', None), ('ES_2025', None))
    """
    if not raw:
        return None, None
    found = _SYMBOL.fullmatch(raw)
    if found and (timeframe := normal_timeframe(found[2])):
        return found[1], timeframe
    return raw, None


@_remembered
def choose_timeframe(candidates: tuple[str | None, ...], spacing: float | None) -> str | None:
    """
    Return the first timeframe that the spacing of the bars does not contradict.

    Args:
        candidates: normal timeframes, the most trusted first.
        spacing: seconds between neighbouring bars as the rows show it, None where they
            show none. Rows are sparse, so that it may be too long but never too short.
    """
    stated = [candidate for candidate in candidates if candidate is not None]
    if spacing is None:
        return stated[0] if stated else None
    shown = timeframe_of(spacing)
    if shown in stated:
        return shown
    possible = [candidate for candidate in stated if seconds_of(candidate) <= spacing]
    return possible[0] if possible else shown
