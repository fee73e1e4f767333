"""The traces that are to be measured, and which bars of the prices are theirs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

import numpy as np
from duckdb import DuckDBPyConnection

from catalog.prices.series import PriceSeries
from catalog.statements import statement

VERSION = 1
"""Of the figures: what another version of this program computed is computed again."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A registered trace. Bars are its own 0-based ones, times microseconds since 1970."""

    trace_id: str
    symbol: str | None
    timeframe: str | None
    path: str
    size: int
    mtime_ns: int
    pack_path: str | None
    trace_number: int | None
    idx_base: int
    row_count: int
    content_digest: str
    is_flat: bool | None
    knows_bar_times: bool | None
    data_digest: str | None
    first_bar: int | None
    last_bar: int | None
    first_change_bar: int | None
    last_change_bar: int | None
    first_us: int | None
    last_us: int | None
    first_change_us: int | None
    last_change_us: int | None

    def inputs(self, digest: str) -> str:
        """
        Return what its figures depend on beside its content and the terms: prices and place.

        The range evaluated may change as other traces of a run become known.
        """
        place = (self.first_bar, self.last_bar, self.first_us, self.last_us)
        return f"v{VERSION} {digest} {' '.join(map(str, place))}"


@dataclass(frozen=True, slots=True)
class Match:
    """
    Where a trace lies in a price series.

    Its bar b is the series' bar b + `offset`, unless `offset` is None: then it lacks bars that
    the series has, or has others, and each of its rows is found by its time. `first` and `last`
    are the range evaluated, in the series' bars. `by` is `ts` or `bar_index`.
    """

    first: int
    last: int
    offset: int | None
    by: str


def select_traces(
    con: DuckDBPyConnection,
    root: str,
    *,
    only: Collection[str] | None = None,
    kinds: Collection[str] = ("signal",),
) -> list[Trace]:
    """
    Return registered traces, those of a pack together and in its order.

    Args:
        only: ids; all traces unless given.
        kinds: signals, unless classifiers are wanted too.
    """
    values = {"root": root, "kinds": list(kinds), "only": None if only is None else list(only)}
    rows = con.execute(statement("select_measurable"), values).fetchall()
    assert not rows or len(rows[0]) == len(fields(Trace))  # noqa: S101
    return [Trace(*row) for row in rows]


def match_trace(trace: Trace, series: PriceSeries) -> Match | str:
    """Return where a trace lies in a price series, or why that cannot be told."""
    if trace.first_bar is None or trace.last_bar is None:
        return "the range it was evaluated over is unknown"
    if not trace.knows_bar_times:
        return _by_bar_index(trace, trace.first_bar, trace.last_bar, series)
    anchors = (
        (trace.first_bar, trace.first_us),
        (trace.first_change_bar, trace.first_change_us),
        (trace.last_change_bar, trace.last_change_us),
        (trace.last_bar, trace.last_us),
    )
    known = [(bar, ts) for bar, ts in anchors if bar is not None and ts is not None]
    if not known:
        return _by_bar_index(trace, trace.first_bar, trace.last_bar, series)
    times = np.array([ts for _, ts in known])
    if times.min() < series.ts[0] or times.max() > series.ts[-1]:
        return _not_covered(series)
    found = np.searchsorted(series.ts, times)
    strange = np.flatnonzero(series.ts[found] != times)
    if len(strange):
        return f"the prices have no bar at its time {_when(times[strange[0]])}"
    offsets = {int(place) - bar for place, (bar, _) in zip(found, known, strict=True)}
    if len(offsets) > 1:
        if trace.first_us is None or trace.last_us is None:
            return "its bars are not those of the prices, and it does not say when it ends"
        return Match(int(found[0]), int(found[-1]), None, "ts")
    (offset,) = offsets
    return _within(trace.first_bar + offset, trace.last_bar + offset, offset, "ts", series)


def _by_bar_index(trace: Trace, first: int, last: int, series: PriceSeries) -> Match | str:
    if series.prepended_bars:
        return (
            "it knows bar numbers only, and the prices were renumbered since they were first added"
        )
    return _within(first, last, 0, "bar_index", series)


def _within(first: int, last: int, offset: int, by: str, series: PriceSeries) -> Match | str:
    if first < 0 or last >= len(series.ts):
        return _not_covered(series)
    return Match(first, last, offset, by)


def _not_covered(series: PriceSeries) -> str:
    return (
        f"the prices do not cover it: they go from {_when(series.ts[0])} to "
        f"{_when(series.ts[-1])}, {len(series.ts):,} bars"
    )


def _when(us: int) -> str:
    return str(np.datetime64(int(us), "us").astype("datetime64[s]")).replace("T", " ")
