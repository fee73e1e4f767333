"""What is noted of the prices of before: where they ended, and what runs handed to strategies."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from catalog.store.journal import read_facts
from catalog.sweeps.inputs import Handed, known_handed

Name = tuple[str, str]
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Noted:
    """
    What is noted of a price series.

    `ends` are when the last bars of its versions were, that of now among them, in microseconds
    since 1970 in UTC. `handed` is what runs of sweeps handed to strategies.
    """

    ends: frozenset[int] = frozenset()
    handed: Sequence[Handed] = ()


def read_noted(catalog: Path, names: Collection[Name]) -> dict[Name, Noted]:
    """
    Return what is noted of price series, by symbol and timeframe.

    An older catalog may have noted only the version that it has now.

    Raises:
        StoreError: the facts beside the catalog cannot be read.
    """
    found: dict[Name, set[int]] = {name: set() for name in names}
    for fact in read_facts(catalog, "prices"):
        ends = found.get((str(fact.get("symbol")), str(fact.get("timeframe"))))
        last = fact.get("last_ts")
        if ends is not None and isinstance(last, str) and (us := _micros(last)) is not None:
            ends.add(us)
    handed = known_handed(catalog, names)
    return {name: Noted(frozenset(ends), handed[name]) for name, ends in found.items()}


def bars_of(ends: Collection[int], ts: np.typing.NDArray[np.int64]) -> frozenset[int]:
    """Return which bars of a series these ends are; those that it lacks are none."""
    wanted = np.array(sorted(ends), np.int64)
    places = np.searchsorted(ts, wanted)
    is_there = places < len(ts)
    is_there[is_there] = ts[places[is_there]] == wanted[is_there]
    return frozenset(places[is_there].tolist())


def _micros(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    since = moment - _UNIX
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
