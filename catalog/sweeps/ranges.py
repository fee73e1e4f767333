"""What a trace's own range says of it: whether it reaches as far as wanted, on the same prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from catalog.prices.series import PriceSeries
from catalog.sweeps.inputs import BarsDigest
from catalog.sweeps.places import DAY, Place, is_date, when
from catalog.sweeps.versions import Noted, bars_of
from catalog.traces.content import PricesDigest

DONE, BEHIND, STALE, FAILED, MISSING = "done", "behind", "stale", "failed", "missing"
STATES: Final = (DONE, BEHIND, STALE, FAILED, MISSING)

OTHER_COLUMNS: Final = "columns beside the close differ from those that it saw"
UNKNOWN_DATA: Final = "it does not say which prices it saw"
UNKNOWN_RANGE: Final = "the range that it was evaluated over is unknown"
UNKNOWN_PRICES: Final = "there are no registered prices to compare its own with"
UNKNOWN_CODE: Final = "it does not say which code it was made with"
UNKNOWN: Final = (UNKNOWN_DATA, UNKNOWN_RANGE, UNKNOWN_PRICES, UNKNOWN_CODE)
BETWEEN: Final = "; "
"""Stands between what is said of a trace, where that is several things."""

ONLY: Final = "only "
"""Begins what is said where there are traces over other ranges."""
NOT_COVERED: Final = f"{ONLY}other ranges are there: "


@dataclass(frozen=True, slots=True)
class TraceRange:
    """
    The range that some traces were evaluated over, and the digest of the prices they saw.

    `run_id` is their run where it noted what it handed to strategies.
    """

    first_bar: int | None
    last_bar: int | None
    first_us: int | None
    last_us: int | None
    data_digest: str | None
    run_id: str | None


class Verdict(NamedTuple):
    """What a range means for a trace of it: a state, and why, or what is not known."""

    state: str
    why: str | None


def judge_ranges(
    place: Place,
    series: PriceSeries | None,
    ranges: Sequence[TraceRange],
    noted: Noted,
    bars: Callable[[], Any],
) -> list[Verdict]:
    """
    Say of each range what a trace of it is worth at a place.

    On other prices than the registered ones, over the trace's own range, it is stale. One that
    does not reach over the range wanted is as good as missing; but behind where all registered
    prices are wanted, and it reaches as far as these did before some were appended. What nobody
    knows is not held against a trace.

    Args:
        series: the registered prices, None where there are none.
        noted: of the prices.
        bars: returns the registered prices with all columns, an Arrow table.
    """
    if series is None:
        return [_judge_without_prices(place, one) for one in ranges]
    found = [_locate(one, series) for one in ranges]
    asked = {at for one, at in zip(ranges, found, strict=True) if one.data_digest and at.is_exact}
    digests = _digests(series, asked)
    appended = frozenset() if place.is_given else bars_of(noted.ends, series.ts)
    verdicts = [
        _judge(place, one, at, digests.get(at), appended)
        for one, at in zip(ranges, found, strict=True)
    ]
    return _with_all_columns(ranges, found, verdicts, noted, bars)


def _with_all_columns(
    ranges: Sequence[TraceRange],
    found: Sequence[_Found],
    verdicts: list[Verdict],
    noted: Noted,
    bars: Callable[[], Any],
) -> list[Verdict]:
    """Hold what runs noted that they handed to strategies against the bars of now."""
    seen: dict[tuple[str, int, int], set[str]] = {}
    for one in noted.handed:
        seen.setdefault((one.run_id, one.from_us, one.to_us), set()).add(one.digest)
    held = {
        number: digests
        for number, (one, at, verdict) in enumerate(zip(ranges, found, verdicts, strict=True))
        if at.is_exact and verdict.state in (DONE, BEHIND)
        and one.run_id is not None and one.first_us is not None and one.last_us is not None
        and (digests := seen.get((one.run_id, one.first_us, one.last_us)))
    }  # fmt: skip
    if not held:
        return verdicts
    now = _bars_digests(bars(), {found[number] for number in held})
    return [
        verdict
        if number not in held or now[found[number]] in held[number]
        else Verdict(STALE, OTHER_COLUMNS)
        for number, verdict in enumerate(verdicts)
    ]


def notes_in(why: str) -> list[str]:
    """Return which of the things that may be unknown of a trace are said in a reason."""
    return [one for one in why.split(BETWEEN) if one in UNKNOWN]


class _Found(NamedTuple):
    """Where a range lies in a price series: bars, None where that is unknown."""

    first: int | None
    last: int | None
    is_exact: bool


def _judge(
    place: Place, one: TraceRange, at: _Found, digest: str | None, ends: frozenset[int]
) -> Verdict:
    assert place.first is not None and place.last is not None  # noqa: S101 - there are prices
    unknown = [UNKNOWN_DATA] if one.data_digest is None else []
    covers = is_behind = False
    if at.first is None or at.last is None:
        covers, unknown = True, [*unknown, UNKNOWN_RANGE]
    elif at.first <= place.first:
        covers = at.last >= place.last
        is_behind = not covers and at.last in ends
    if not covers and not is_behind:
        return Verdict(MISSING, _shorter(place, one, at))
    if one.data_digest is not None:
        if not at.is_exact:
            return Verdict(STALE, "the registered prices lack its first or its last bar")
        if digest != one.data_digest:
            return Verdict(STALE, "the registered prices differ from those that it saw")
    if is_behind:
        said = f"it covers {_told(one)}, and there are more bars"
        return Verdict(BEHIND, BETWEEN.join([said, *unknown]))
    return Verdict(DONE, BETWEEN.join(unknown) or None)


def _shorter(place: Place, one: TraceRange, at: _Found) -> str:
    is_within = at.first is not None and at.last is not None and at.first <= at.last
    if place.is_given or not is_within:
        return NOT_COVERED + _told(one)
    assert place.last is not None  # noqa: S101 - there are prices
    return f"{ONLY}bars {at.first:,} to {at.last:,} of {place.last + 1:,} are computed"


def _judge_without_prices(place: Place, one: TraceRange) -> Verdict:
    unknown = UNKNOWN_PRICES if one.data_digest is not None else UNKNOWN_DATA
    covers: bool | None
    if place.first is not None and place.last is not None:
        covers = None
        if one.first_bar is not None and one.last_bar is not None:
            covers = one.first_bar <= place.first and one.last_bar >= place.last
    else:
        covers = covers_times(place, one.first_us, one.last_us)
    if covers is None:
        return Verdict(DONE, BETWEEN.join([unknown, UNKNOWN_RANGE]))
    return Verdict(DONE, unknown) if covers else Verdict(MISSING, NOT_COVERED + _told(one))


def covers_times(place: Place, first_us: int | None, last_us: int | None) -> bool | None:
    """Say whether a range covers that of a place; None where nobody knows."""
    if first_us is None or last_us is None or place.from_us is None or place.to_us is None:
        return None
    if not place.has_prices:
        # Where dates were given nobody knows which bars they have: the traces' own days count.
        if is_date(place.wanted.start):
            first_us -= first_us % DAY
        if is_date(place.wanted.end):
            last_us += DAY - 1 - last_us % DAY
    return first_us <= place.from_us and last_us >= place.to_us


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
    return _in_one_pass(
        wanted,
        PricesDigest,
        lambda digest, begin, end: digest.add(series.ts[begin:end], series.close[begin:end]),
    )


def _bars_digests(bars: Any, wanted: set[_Found]) -> dict[_Found, str]:
    return _in_one_pass(
        wanted,
        BarsDigest,
        lambda digest, begin, end: digest.add(bars.slice(begin, end - begin)),
    )


def _in_one_pass(
    wanted: set[_Found], start: Callable[[], Any], add: Callable[[Any, int, int], None]
) -> dict[_Found, str]:
    """Return the digest of each range; those that begin at one bar are digested in one pass."""
    made: dict[_Found, str] = {}
    begin, digest, done = -1, start(), -1
    for found in sorted(wanted):
        first, last, _ = found
        assert first is not None and last is not None  # noqa: S101 - exact ones are known
        if first != begin:
            begin, digest, done = first, start(), first
        add(digest, done, last + 1)
        done = last + 1
        made[found] = digest.hexdigest()
    return made


def _told(one: TraceRange) -> str:
    if one.first_us is not None and one.last_us is not None:
        return f"{when(one.first_us)} to {when(one.last_us)}"
    if one.first_bar is not None and one.last_bar is not None:
        return f"bars {one.first_bar:,} to {one.last_bar:,}"
    return "an unknown range"
