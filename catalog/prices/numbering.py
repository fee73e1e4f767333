"""Which bar numbers traces mean: those of the version of a series that was added first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from catalog.prices.checks import Finding, utc
from catalog.prices.times import Micros


@dataclass(frozen=True)
class Origin:
    """
    The bars whose numbers are those that traces mean: how many, when, and all their times.

    They are those of the first version of a series, or of a later one that was said to be it.
    """

    bars: int
    first_ts: int
    digest: str


@dataclass(frozen=True)
class Numbering:
    """How the bars of a version are numbered, beside what traces mean."""

    origin: Origin
    prepended_bars: int


def first_numbering(ts: Micros) -> Numbering:
    """Return the numbering of a version whose bar numbers are those that traces mean."""
    return Numbering(Origin(len(ts), int(ts[0]), _digest(ts)), 0)


def next_numbering(ts: Micros, known: Numbering, before: Micros | None) -> Numbering:
    """
    Return the numbering of a newer version.

    The bars of the origin are looked for, whatever versions were in between: where they are the
    first, numbers mean what they meant. Otherwise that many bars were prepended; where bars are
    missing at the beginning, or were added or taken out within, there is no such number: any other
    than 0 says so, and it is 1.

    Args:
        before: the times of the version before; None where its file is gone.
    """
    origin = known.origin
    place = int(np.searchsorted(ts, origin.first_ts))
    if place == len(ts) or ts[place] != origin.first_ts:
        return Numbering(origin, 1)
    if _digest(ts[place : place + origin.bars]) == origin.digest:
        return Numbering(origin, place)
    # Of fewer bars than the origin has, only the version before can tell.
    if before is not None and np.array_equal(ts, before[: len(ts)]):
        return known
    return Numbering(origin, max(place, 1))


def find_moved(
    ts: Micros, numbering: Numbering, known: Numbering, before: Micros | None
) -> list[Finding]:
    """
    Return what is to be said of bars that have other numbers than in the version before.

    Args:
        before: the times of the version before; None where its file is gone.
    """
    moved = _first_moved(ts, before)
    is_new = numbering.prepended_bars != known.prepended_bars
    if numbering.prepended_bars and (is_new or moved is not None):
        text = (
            "bar numbers are not those of the version that was added first: traces that know only "
            "bar numbers, and no times, cannot be matched; if they mean the numbers of this file, "
            "add it with --renumber"
        )
        return [Finding(text, True)]
    # The origin is where it was, and what was appended to it since is not.
    if moved is not None and not is_new:
        text = (
            f"bar numbers from {utc(ts[moved])} on are not those of the version before: traces "
            "that know only bar numbers, and no times, may mean other bars there"
        )
        return [Finding(text, True)]
    return []


def _first_moved(ts: Micros, before: Micros | None) -> int | None:
    if before is None:
        return None
    count = min(len(ts), len(before))
    moved = np.flatnonzero(ts[:count] != before[:count])
    return int(moved[0]) if len(moved) else None


def _digest(ts: Micros) -> str:
    return hashlib.sha256(ts.astype("<i8").tobytes()).hexdigest()
