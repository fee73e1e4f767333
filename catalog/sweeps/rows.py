"""The configurations of a sweep that are in some states, each with all that running it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.sweeps.compare import Compared, Comparison
from catalog.sweeps.known import NO_REASON
from catalog.sweeps.members import texts, words
from catalog.sweeps.names import StrategyNames
from catalog.sweeps.ranges import FAILED, MISSING, STALE, STATES
from catalog.traces.times import iso

NOT_COMPUTED: Final = (MISSING, STALE, FAILED)

SCHEMA: Final = pa.schema(
    {
        name: pa.string()
        for name in (
            "state", "kind", "strategy_type", "strategy_id", "symbol", "timeframe", "from", "to",
            "strategy_hash", "config_key", "config", "why",
        )
    }
)  # fmt: skip


class NotComputed(Iterator[pa.Table]):
    """
    Tables of the configurations of a sweep that are in some states; `config` is canonical JSON.

    `from` and `to` are the first and the last bar to compute, null where nobody knows their times.
    `counts` has how many are in each state, whether or not it is one of these, as far as tables
    were taken.
    """

    def __init__(self, comparison: Comparison, states: Collection[str] = NOT_COMPUTED) -> None:
        self.counts = dict.fromkeys(STATES, 0)
        self._tables = self._made(comparison, states)

    def __next__(self) -> pa.Table:
        return next(self._tables)

    def _made(self, comparison: Comparison, states: Collection[str]) -> Iterator[pa.Table]:
        names = StrategyNames(comparison.sweep, comparison.places)
        numbers = {id(grid): number for number, grid in enumerate(comparison.sweep.grids)}
        wanted = np.isin(np.arange(len(STATES)), [STATES.index(state) for state in states])
        for one in comparison.batches():
            counts = np.bincount(one.states, minlength=len(STATES)).tolist()
            for state, count in zip(STATES, counts, strict=True):
                self.counts[state] += count
            chosen = np.flatnonzero(wanted[one.states])
            if len(chosen):
                yield _table(one, chosen, names, numbers[id(one.grid)])


def _table(one: Compared, chosen: Any, names: StrategyNames, number: int) -> pa.Table:
    grid, place = one.grid, one.place
    numbers = one.numbers[chosen]
    configs = list(texts(grid, numbers))
    hashes = [sha256(text).hexdigest()[:12] for text in configs]
    ids = [
        names.name(place, number, own, strategy_hash)
        for own, strategy_hash in zip(words(grid, numbers), hashes, strict=True)
    ]
    said = pa.array((*one.texts, None), pa.string())
    reasons = np.where(one.reasons[chosen] == NO_REASON, len(one.texts), one.reasons[chosen])
    count = len(chosen)
    columns = {
        "state": pa.array(STATES, pa.string()).take(pa.array(one.states[chosen])),
        "kind": pa.repeat(grid.kind, count),
        "strategy_type": pa.repeat(grid.type, count),
        "strategy_id": pa.array(ids, pa.string()),
        "symbol": pa.repeat(place.symbol, count),
        "timeframe": pa.repeat(place.timeframe, count),
        "from": _repeated(place.from_us, count),
        "to": _repeated(place.to_us, count),
        "strategy_hash": pa.array(hashes, pa.string()),
        "config_key": pa.array(one.keys, pa.string()).take(pa.array(chosen)),
        "config": pa.array([text.decode() for text in configs], pa.string()),
        "why": said.take(pa.array(reasons)),
    }
    return pa.table(columns, schema=SCHEMA)


def _repeated(us: int | None, count: int) -> Any:
    return pa.nulls(count, pa.string()) if us is None else pa.repeat(iso(us), count)
