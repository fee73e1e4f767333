"""What is odd about a price series: what refuses it, and what is only said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.errors import PriceFileError
from catalog.prices.bars import Bars, Terms
from catalog.prices.source import Floats
from catalog.prices.times import DAY, Micros, local_times
from catalog.register.symbols import timeframe_of

_SPLITS: Final = (1.5, 2.0, 3.0, 4.0, 5.0, 10.0)
_NEAR: Final = 0.02
_ROUNDING: Final = 1e-9
_SHARE: Final = 0.1
"""Of neighbouring bars that lie as far apart as the timeframe says; fewer contradict it."""


@dataclass(frozen=True)
class Finding:
    """Something odd, in words; whether somebody should look at it before relying on numbers."""

    text: str
    needs_attention: bool


def check_times(ts: Micros, terms: Terms) -> None:
    """
    Refuse times in order that cannot be those of a series.

    Raises:
        PriceFileError: one is there twice, or they lie closer together, or farther apart, than
            bars of that length.
    """
    again = np.flatnonzero(ts[1:] == ts[:-1])
    if len(again):
        raise PriceFileError(
            f"The time {utc(ts[again[0]])} is there twice"
            + (f", and {len(again) - 1:,} more are" if len(again) > 1 else ""),
            hint="Keep one row for each bar of one symbol",
        )
    spacing = _spacing(ts, terms)
    if not len(spacing):
        return
    kinds, counts = np.unique(spacing, return_counts=True)
    commonest = int(kinds[np.argmax(counts)])
    stated = int(counts[kinds == terms.step].sum())
    if commonest < terms.step or stated < _SHARE * len(spacing):
        shown = timeframe_of(commonest / 1e6)
        apart = f"{shown} apart" if shown else f"{commonest / 1e6:g} s apart"
        raise PriceFileError(
            f"The bars are mostly {apart}, which is not {terms.timeframe}",
            hint=f"Add them with --timeframe {shown}" if shown else "Look at the file's times",
        )


def check_days(ts: Micros, terms: Terms) -> None:
    """
    Refuse days that are labelled by midnight in UTC where that is another day.

    Raises:
        PriceFileError: they are.
    """
    if not terms.days or terms.label != "open" or np.any(ts % DAY):
        return
    if np.any(local_times(ts, terms.zone) // DAY < ts // DAY):
        raise PriceFileError(
            f"The bars begin at midnight in UTC, which is the day before in {terms.zone}",
            hint="Leave --tz out, or write the days as dates without a time",
        )


def find_odd(bars: Bars, raw: Mapping[str, Floats], *, is_sorted: bool) -> list[Finding]:
    """
    Return what is odd about a series.

    Args:
        raw: prices as the file has them, those that it has, in the order of the bars.
        is_sorted: whether the rows of the file were in order.
    """
    found = []
    if not is_sorted:
        found.append(Finding("the rows were not in order of time: they were sorted", False))
    found += _off_grid(bars)
    found += _without_price(bars, raw)
    found += _outside(bars)
    found += _splits(bars)
    return found


def missing_bars(bars: Bars) -> int:
    """Count the bars that are missing between others in the regular hours of a session."""
    if bars.terms.days:
        return 0
    inside = (bars.session[1:] == bars.session[:-1]) & bars.is_regular[1:] & bars.is_regular[:-1]
    steps = np.diff(bars.ts)[inside] // bars.terms.step
    return int(np.maximum(steps - 1, 0).sum())


def utc(ts: int) -> str:
    """Return an instant as people read it."""
    return str(np.datetime64(int(ts), "us")).replace("T", " ").removesuffix(".000000") + " UTC"


def _spacing(ts: Micros, terms: Terms) -> Micros:
    """Return how far bars lie apart; where they are days, by the clock of their zone."""
    return np.diff(local_times(ts, terms.zone) if terms.days else ts)


def _off_grid(bars: Bars) -> list[Finding]:
    spacing = _spacing(bars.ts, bars.terms)
    inside = np.ones(len(spacing), bool)
    if not bars.terms.days:
        inside = bars.session[1:] == bars.session[:-1]
    odd = np.flatnonzero(inside & (spacing % bars.terms.step != 0))
    if not len(odd):
        return []
    text = (
        f"{len(odd):,} times are no multiple of {bars.terms.timeframe} after the one before, "
        f"the first {utc(bars.ts[odd[0] + 1])}"
    )
    return [Finding(text, False)]


def _without_price(bars: Bars, raw: Mapping[str, Floats]) -> list[Finding]:
    unknown = np.isnan(raw["close"])
    found = _say(bars, unknown, "have no close", ": their price is unknown", needs_attention=False)
    for name, article in (("close", "a"), ("open", "an"), ("high", "a"), ("low", "a")):
        if name in raw:
            wrong = np.isnan(bars.prices[name]) & ~np.isnan(raw[name])
            what = f"have {article} {name} that is zero, negative or infinite"
            then = ": their price is unknown" if name == "close" else ": it is unknown"
            found += _say(bars, wrong, what, then)
    return found


def _outside(bars: Bars) -> list[Finding]:
    """Find bars whose prices contradict one another by more than rounding."""
    low, high = bars.prices["low"], bars.prices["high"]
    crossed = low - high > _ROUNDING * low
    outside = np.zeros(len(bars), bool)
    for price in (bars.prices["open"], bars.prices["close"]):
        outside |= (price - high > _ROUNDING * high) | (low - price > _ROUNDING * low)
    return [
        *_say(bars, crossed, "have a high below their low"),
        *_say(bars, outside & ~crossed, "have an open or close outside their low and high"),
    ]


def _say(
    bars: Bars, mask: NDArray[np.bool_], what: str, then: str = "", *, needs_attention: bool = True
) -> list[Finding]:
    """Say of how many bars something holds, and which is the first; nothing where it is none."""
    if not mask.any():
        return []
    first = utc(bars.ts[np.argmax(mask)])
    text = f"{int(mask.sum()):,} bars {what}, the first at {first}{then}"
    return [Finding(text, needs_attention)]


def _splits(bars: Bars) -> list[Finding]:
    """Find prices that jump by a usual split ratio from one session to the next."""
    close = bars.prices["close"]
    opened = bars.prices["open"]
    known = np.flatnonzero(~np.isnan(close))
    before, after = known[:-1], known[1:]
    across = bars.session[before] != bars.session[after]
    before, after = before[across], after[across]
    first = np.where(np.isnan(opened[after]), close[after], opened[after])
    ratio = first / close[before]
    size = np.maximum(ratio, 1 / ratio)
    near = np.zeros(len(size), bool)
    for split in _SPLITS:
        near |= np.abs(size / split - 1) <= _NEAR
    jumps = np.flatnonzero(near)
    if not len(jumps):
        return []
    where = after[jumps[0]]
    text = (
        f"the price jumps by {ratio[jumps[0]]:.3g} times at {bars.session_date[where]}"
        + (f", and {len(jumps) - 1:,} times more" if len(jumps) > 1 else "")
        + ": that looks like a split; add adjusted prices"
    )
    return [Finding(text, True)]
