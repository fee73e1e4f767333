"""Whether two traces hold the same position on the bars that both were evaluated at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LAST_BAR = "last bar only"
START = "start"
WITHIN = "within"


@dataclass(frozen=True, eq=False)
class Held:
    """
    The positions of a trace: its rows, and the range that it was evaluated over.

    `bars` are its own, 0-based and in order; a value is in force from its bar on, and 0 before
    the first. `known_bars` and `known_times` are the bars whose times are known, in order, those
    of rows and of the range's ends, in microseconds since 1970; empty where bar times are unknown.
    """

    bars: Ints
    values: Floats
    first: int
    last: int
    known_bars: Ints
    known_times: Ints


@dataclass(frozen=True, slots=True)
class Overlap:
    """
    How two traces compare on the bars that they share.

    `aligned_by` is `ts` where bars of the same time are the same, else `bar_index`. `bars` counts
    the shared ones and `bars_differ` those at which positions differ; both are None where one of
    the traces lacks bars that the other has. `bar` is the first that differs, as the shorter
    trace numbers it, `us` its time and `values` the positions there, the shorter one's first.

    `where` is `last bar only`, where the run that ended there may have closed what it held;
    `start`, where the ranges begin at different bars and the positions agree from some bar on, as
    they do once indicators have warmed up; else `within`.
    """

    aligned_by: str
    bars: int | None
    begins_together: bool
    bars_differ: int | None = 0
    bar: int | None = None
    us: int | None = None
    values: tuple[float, float] | None = None
    where: str | None = None


@dataclass(frozen=True, eq=False)
class _Axis:
    """What the bars of two traces are counted on: where each row is, and where the ranges end."""

    aligned_by: str
    places: tuple[Ints, Ints]
    first: tuple[int, int]
    last: tuple[int, int]
    is_time: bool


def compare(shorter: Held, longer: Held) -> Overlap | None:
    """Compare two traces, or return None where no bar is known to be evaluated in both."""
    axis = _axis(shorter, longer)
    start, end = max(axis.first), min(axis.last)
    if start > end:
        return None
    inside = [places[(places > start) & (places <= end)] for places in axis.places]
    points = np.unique(np.concatenate([[start], *inside]))
    a = _in_force(axis.places[0], shorter.values, points)
    b = _in_force(axis.places[1], longer.values, points)
    differs = (a != b) & ~(np.isnan(a) & np.isnan(b))
    lengths = np.diff(np.append(points, end + 1))
    together = axis.first[0] == axis.first[1]
    bars = None if axis.is_time else end - start + 1
    if not differs.any():
        return Overlap(axis.aligned_by, bars, together)
    place = int(differs.argmax())
    bar, us = _named(int(points[place]), axis, shorter, longer)
    return Overlap(
        axis.aligned_by,
        bars,
        together,
        None if axis.is_time else int(lengths[differs].sum()),
        bar,
        us,
        (float(a[place]), float(b[place])),
        _where(differs, is_last=int(points[place]) == end, together=together),
    )


def _axis(shorter: Held, longer: Held) -> _Axis:
    shift = _shift(shorter, longer)
    if shift is not None:
        offset, by = shift
        return _Axis(
            by,
            (shorter.bars, longer.bars - offset),
            (shorter.first, longer.first - offset),
            (shorter.last, longer.last - offset),
            is_time=False,
        )
    # Each was evaluated at least from the first bar to the last whose time is known.
    return _Axis(
        "ts",
        (_times_of_rows(shorter), _times_of_rows(longer)),
        (int(shorter.known_times[0]), int(longer.known_times[0])),
        (int(shorter.known_times[-1]), int(longer.known_times[-1])),
        is_time=True,
    )


def _shift(shorter: Held, longer: Held) -> tuple[int, str] | None:
    """Return how many bars later the longer one numbers the same bar; None where that varies."""
    if not len(shorter.known_times) or not len(longer.known_times):
        return 0, "bar_index"
    shared, a, b = np.intersect1d(shorter.known_times, longer.known_times, return_indices=True)
    offsets = longer.known_bars[b] - shorter.known_bars[a]
    offset = int(offsets[0]) if len(shared) else 0
    bars = np.concatenate((shorter.known_bars + offset, longer.known_bars))
    times = np.concatenate((shorter.known_times, longer.known_times))
    order = np.lexsort((times, bars))
    bar_steps, time_steps = np.diff(bars[order]), np.diff(times[order])
    if np.any((bar_steps == 0) != (time_steps == 0)) or np.any(time_steps < 0):
        return None
    return offset, "ts" if len(shared) else "bar_index"


def _times_of_rows(held: Held) -> Ints:
    return held.known_times[held.known_bars.searchsorted(held.bars)]


def _in_force(places: Ints, values: Floats, points: Ints) -> Floats:
    """Return the value in force at each point, 0 before the first row."""
    return np.concatenate(([0.0], values))[places.searchsorted(points, "right")]


def _named(place: int, axis: _Axis, shorter: Held, longer: Held) -> tuple[int | None, int | None]:
    """Return the bar of a place as the shorter one numbers it, and its time."""
    if axis.is_time:
        at = int(shorter.known_times.searchsorted(place))
        known = at < len(shorter.known_times) and shorter.known_times[at] == place
        return int(shorter.known_bars[at]) if known else None, place
    for held, bar in ((shorter, place), (longer, place + longer.first - axis.first[1])):
        at = int(held.known_bars.searchsorted(bar))
        if at < len(held.known_bars) and held.known_bars[at] == bar:
            return place, int(held.known_times[at])
    return place, None


def _where(differs: NDArray[np.bool_], *, is_last: bool, together: bool) -> str:
    if is_last:
        return LAST_BAR
    agrees_again = int(np.argmin(differs))
    at_start = bool(differs[0]) and agrees_again > 0 and not differs[agrees_again:].any()
    return START if at_start and not together else WITHIN
