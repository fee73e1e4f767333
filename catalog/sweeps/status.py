"""How much of a sweep is done: its configurations counted by place, strategy type and state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.sweeps.compare import Comparison
from catalog.sweeps.known import NO_REASON
from catalog.sweeps.places import Place
from catalog.sweeps.ranges import BEHIND, DONE, STATES, notes_in


@dataclass(frozen=True)
class StateCounts:
    """How many configurations of a strategy type are in each state at a place."""

    symbol: str
    timeframe: str
    kind: str
    strategy_type: str
    done: int = 0
    behind: int = 0
    stale: int = 0
    failed: int = 0
    missing: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.done + self.behind + self.stale + self.failed + self.missing


@dataclass(frozen=True, eq=False)
class SweepStatus:
    """
    The state of a sweep: its places with their ranges, and counts of states.

    `notes` are what is not known of configurations that count as done or behind, with how many it
    is of.
    """

    name: str
    places: tuple[Place, ...]
    counts: tuple[StateCounts, ...]
    notes: dict[str, int]

    def __getitem__(self, state: str) -> int:
        """How many configurations are in a state, on all symbols and timeframes."""
        return sum(getattr(one, state) for one in self.counts)

    @property
    def total(self) -> int:
        """How many configurations there are, counted on each symbol and timeframe."""
        return sum(one.total for one in self.counts)

    @property
    def table(self) -> Any:
        """The counts as an Arrow table, one row a strategy type and place."""
        names = ("symbol", "timeframe", "kind", "strategy_type")
        columns: dict[str, Any] = {
            name: pa.array([getattr(one, name) for one in self.counts], pa.string())
            for name in names
        }
        for name in ("total", *STATES):
            columns[name] = pa.array([getattr(one, name) for one in self.counts], pa.int64())
        return pa.table(columns)


def count_states(comparison: Comparison) -> SweepStatus:
    """Count the states of all configurations of a sweep."""
    counts: dict[tuple[str, str, str, str], Any] = {}
    notes: dict[str, int] = {}
    for one in comparison.batches():
        name = (one.place.symbol, one.place.timeframe, one.grid.kind, one.grid.type)
        found = np.bincount(one.states, minlength=len(STATES))
        counts[name] = counts.get(name, 0) + found
        is_held = np.isin(one.states, [STATES.index(DONE), STATES.index(BEHIND)])
        said = one.reasons[is_held & (one.reasons != NO_REASON)]
        for place, count in enumerate(np.bincount(said, minlength=len(one.texts)).tolist()):
            for note in notes_in(one.texts[place]) if count else ():
                notes[note] = notes.get(note, 0) + count
    made = [
        StateCounts(*name, **dict(zip(STATES, found.tolist(), strict=True)))
        for name, found in counts.items()
    ]
    order = {
        (place.symbol, place.timeframe): number for number, place in enumerate(comparison.places)
    }
    made.sort(key=lambda one: order[one.symbol, one.timeframe])
    return SweepStatus(comparison.sweep.name, comparison.places, tuple(made), notes)
