"""What strategies earned in each session: the heart of every figure that is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.holdings import Holdings
from catalog.metrics.paths import Paths

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = 1e-13
"""A return below it, either way, is none."""


@dataclass(frozen=True, eq=False)
class SessionGrid:
    """
    The sessions of a price series.

    `of_bar` is the session of each bar, (bars,); `gap` the return from the close before a bar to
    its open, (bars,), 0 where one is unknown and `knows_gaps` False where all opens are.
    """

    of_bar: Ints
    starts: Ints
    ends: Ints
    gap: Floats
    knows_gaps: bool


@dataclass(frozen=True, eq=False)
class SessionReturns:
    """
    One row per strategy and session of its range, strategy by strategy.

    `net` is a fraction, with the cost of every change taken off where there is one. `overnight`
    is the part of it that the gap at the session's open made, `turnover` the sum of |Δ position|,
    `bars_held` the bars with a position. Strategy i has the rows offsets[i] to offsets[i + 1].
    """

    strategy: Ints
    session: Ints
    net: Floats
    overnight: Floats
    turnover: Floats
    bars_held: Ints
    offsets: Ints


def session_returns(
    holdings: Holdings,
    paths: Paths,
    *,
    grid: SessionGrid,
    equity: Floats,
    correction: Floats,
    every: Holdings | None = None,
    fills_at_open: bool = False,
) -> SessionReturns:
    """
    Return what each strategy earned in each session of its range.

    Args:
        holdings: those without a position may be left out, but for each strategy's first row.
        equity: (holdings,) log equity before each holding.
        correction: (holdings,) what is added to the log growth at a holding's first bar: the
            cost of the change, and what another fill than the close makes of it.
        every: all holdings, where some are left out, for the changes of position.
        fills_at_open: the gap at an open is earned with the position before the change.
    """
    j0, j1 = grid.of_bar[holdings.first], grid.of_bar[holdings.last]
    counts = j1 - j0 + 1
    offsets = np.concatenate(([0], np.cumsum(counts)))
    rows = int(offsets[-1])
    strategy = np.repeat(np.arange(holdings.strategies), counts)
    session = np.arange(rows) - np.repeat(offsets[:-1] - j0, counts)
    # The last holding that begins in a session or before it is the one that its end is in.
    shift = offsets[:-1] - j0
    begun = np.bincount(_row_of(holdings, grid, shift), minlength=rows)
    last = np.cumsum(begun) - 1
    head, tail = offsets[:-1], offsets[1:] - 1
    # Where a strategy's bars have gaps, its first sessions may come before all of its holdings.
    early = np.zeros(0, np.int64)
    if (begun[head] == 0).any():
        firsts = holdings.offsets[strategy]
        early = np.flatnonzero(last < firsts)
        last = np.maximum(last, firsts)
    stop = grid.ends.take(session)
    stop[tail] = np.minimum(stop[tail], holdings.last)
    np.minimum(stop, holdings.end.take(last), out=stop)
    start, position = holdings.start.take(last), holdings.position.take(last)
    log = (equity + correction).take(last)
    log += paths.growth(position, start, stop)
    held = np.where(holdings.position != 0, holdings.bars, 0)
    held_before = np.cumsum(held) - held
    bars = stop - start
    bars += 1
    bars *= position != 0
    bars += held_before.take(last)
    if len(early):
        log[early] = equity[last[early]]
        bars[early] = held_before[last[early]]
    every = every or holdings
    turnover = np.bincount(_row_of(every, grid, shift), every.changes, rows).astype(np.float64)
    gain = _differences(log, head, equity[holdings.offsets[:-1]])
    # Prices came back to the same tick: what is left is rounding.
    gain[np.abs(gain) < NOTHING] = 0.0
    overnight = _overnight(holdings, grid, session, last, begun, head, fills_at_open)
    return SessionReturns(
        strategy,
        session,
        np.expm1(gain),
        overnight,
        turnover,
        _differences(bars, head, held_before[holdings.offsets[:-1]]),
        offsets,
    )


def _row_of(holdings: Holdings, grid: SessionGrid, shift: Ints) -> Ints:
    """Return the row of the session that each holding begins in."""
    rows: Ints = grid.of_bar.take(holdings.start)
    rows += shift.take(holdings.strategy)
    return rows


def _differences(values: NDArray[Any], head: Ints, before: NDArray[Any]) -> NDArray[Any]:
    """Return each value less the one before it; less `before` where a strategy begins."""
    made = np.empty_like(values)
    made[1:] = values[1:] - values[:-1]
    made[head] = values[head] - before
    return made


def _overnight(
    holdings: Holdings,
    grid: SessionGrid,
    session: Ints,
    last: Ints,
    begun: Ints,
    head: Ints,
    fills_at_open: bool,
) -> Floats:
    """Return the position at each session's first bar times the gap there."""
    opening = grid.starts.take(session)
    # It is in the first holding that begins in the session if that begins at once, else in the
    # one that the session before ended with.
    before = last - begun
    there = np.minimum(before + 1, len(holdings.start) - 1)
    begins = holdings.start.take(there) == opening
    begins &= begun > 0
    there = np.where(begins, there, np.maximum(before, 0))
    position: Floats = holdings.position.take(there)
    if fills_at_open:
        position = np.where(begins, holdings.previous.take(there), position)
    position[holdings.end.take(there) < opening] = 0.0
    # No session came before a strategy's first one, whose opening it may not have seen.
    position[head] = np.where(begins[head], position[head], 0.0)
    position *= grid.gap.take(opening)
    return position
