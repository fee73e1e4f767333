"""What a trace's own range says of it: whether it reaches as far as wanted, on the same prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from catalog.prices.series import PriceSeries
from catalog.sweeps.places import DAY, Place, is_date, when
from catalog.traces.content import PricesDigest

DONE, BEHIND, STALE, FAILED, MISSING = "done", "behind", "stale", "failed", "missing"
STATES: Final = (DONE, BEHIND, STALE, FAILED, MISSING)

UNKNOWN_DATA: Final = "it does not say which prices it saw"
UNKNOWN_RANGE: Final = "the range that it was evaluated over is unknown"
UNKNOWN_PRICES: Final = "there are no registered prices to compare its own with"
NOT_COVERED: Final = "only other ranges are there: "


@dataclass(frozen=True, slots=True)
class TraceRange:
    """The range that some traces were evaluated over, and the digest of the prices they saw."""

    first_bar: int | None
    last_bar: int | None
    first_us: int | None
    last_us: int | None
    data_digest: str | None


class Verdict(NamedTuple):
    """What a range means for a trace of it: a state, and why, or what is not known."""

    state: str
    why: str | None


def judge_ranges(
    place: Place, series: PriceSeries | None, ranges: Sequence[TraceRange]
) -> list[Verdict]:
    """
    Say of each range what a trace of it is worth at a place.

    On other prices than the registered ones, over the trace's own range, it is stale. One that
    does not reach over the range wanted is behind, or where a range was given, as good as missing.
    What nobody knows is not held against a trace.
    """
    if series is None:
        return [_judge_without_prices(place, one) for one in ranges]
    found = [_locate(one, series) for one in ranges]
    asked = {at for one, at in zip(ranges, found, strict=True) if one.data_digest and at.is_exact}
    digests = _digests(series, asked)
    return [_judge(place, one, at, digests.get(at)) for one, at in zip(ranges, found, strict=True)]


class _Found(NamedTuple):
    """Where a range lies in a price series: bars, None where that is unknown."""

    first: int | None
    last: int | None
    is_exact: bool


def _judge(place: Place, one: TraceRange, at: _Found, digest: str | None) -> Verdict:
    assert place.first is not None and place.last is not None  # noqa: S101 - there are prices
    is_known = at.first is not None and at.last is not None
    covers = not is_known or (at.first <= place.first and at.last >= place.last)  # type: ignore[operator]
    changed = None
    if one.data_digest is not None:
        if not at.is_exact:
            changed = "the registered prices lack its first or its last bar"
        elif digest != one.data_digest:
            changed = "the registered prices differ from those that it saw"
    if not covers and place.is_given:
        return Verdict(MISSING, NOT_COVERED + _told(one))
    if changed is not None:
        return Verdict(STALE, changed)
    if not covers:
        return Verdict(BEHIND, f"it covers {_told(one)}, and there are more bars")
    if not is_known:
        return Verdict(DONE, UNKNOWN_RANGE)
    return Verdict(DONE, UNKNOWN_DATA if one.data_digest is None else None)


def _judge_without_prices(place: Place, one: TraceRange) -> Verdict:
    unknown = UNKNOWN_DATA if one.data_digest is None else UNKNOWN_PRICES
    if place.first is not None and place.last is not None:
        if one.first_bar is None or one.last_bar is None:
            return Verdict(DONE, UNKNOWN_RANGE)
        covers = one.first_bar <= place.first and one.last_bar >= place.last
    else:
        if one.first_us is None or one.last_us is None:
            return Verdict(DONE, UNKNOWN_RANGE)
        assert place.from_us is not None and place.to_us is not None  # noqa: S101 - else refused
        # Where dates were given nobody knows which bars they have: the traces' own days count.
        start, end = one.first_us, one.last_us
        if is_date(place.wanted.start):
            start -= start % DAY
        if is_date(place.wanted.end):
            end += DAY - 1 - end % DAY
        covers = start <= place.from_us and end >= place.to_us
    return Verdict(DONE, unknown) if covers else Verdict(MISSING, NOT_COVERED + _told(one))


def _locate(one: TraceRange, series: PriceSeries) -> _Found:
    if one.first_us is not None and one.last_us is not None:
        first = int(np.searchsorted(series.ts, one.first_us, "left"))
        last = int(np.searchsorted(series.ts, one.last_us, "right")) - 1
        is_exact = (
            first < len(series.ts)
            and last >= 0
            and int(series.ts[first]) == one.first_us
            and int(series.ts[last]) == one.last_us
        )
        return _Found(first, last, is_exact)
    if one.first_bar is None or one.last_bar is None or series.prepended_bars:
        return _Found(None, None, False)
    return _Found(one.first_bar, one.last_bar, one.last_bar < len(series.ts))


def _digests(series: PriceSeries, wanted: set[_Found]) -> dict[_Found, str]:
    """Return the digest of each range; those that begin at one bar are digested in one pass."""
    made: dict[_Found, str] = {}
    begin, digest, done = -1, PricesDigest(), -1
    for found in sorted(wanted):
        first, last, _ = found
        assert first is not None and last is not None  # noqa: S101 - exact ones are known
        if first != begin:
            begin, digest, done = first, PricesDigest(), first
        digest.add(series.ts[done : last + 1], series.close[done : last + 1])
        done = last + 1
        made[found] = digest.hexdigest()
    return made


def _told(one: TraceRange) -> str:
    if one.first_us is not None and one.last_us is not None:
        return f"{when(one.first_us)} to {when(one.last_us)}"
    if one.first_bar is not None and one.last_bar is not None:
        return f"bars {one.first_bar:,} to {one.last_bar:,}"
    return "an unknown range"
