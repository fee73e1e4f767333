"""Failures of strategies, kept beside the catalog: no trace tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from catalog.store.journal import append_facts, read_facts
from catalog.sweeps.places import Place

_NAME: Final = "failures"
_KINDS: Final = {
    "config_key": str, "kind": str, "symbol": str, "timeframe": str, "from_us": int, "to_us": int,
    "failed_us": int, "error": str, "run_id": str, "strategy_id": str,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """
    A strategy that could not be computed: which, where, over which bars, when, and why.

    Times are microseconds since 1970 in UTC; the range is that of its first and last bar.
    """

    config_key: str
    kind: str
    symbol: str
    timeframe: str
    from_us: int
    to_us: int
    failed_us: int
    error: str
    run_id: str
    strategy_id: str


def record_failures(catalog: Path, failures: Iterable[Failure]) -> None:
    """
    Add failures to what is known; they are on the disk when this returns.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    append_facts(catalog, _NAME, map(asdict, failures))


def last_failures(catalog: Path, places: Iterable[Place]) -> list[dict[tuple[str, str], Failure]]:
    """
    Return, for each place, the last failure of each configuration over any of its bars.

    By the kind and the key of the configuration.

    Raises:
        StoreError: the file cannot be read.
    """
    places = list(places)
    by_name: dict[tuple[str, str], list[int]] = {}
    for number, place in enumerate(places):
        by_name.setdefault((place.symbol, place.timeframe), []).append(number)
    found: list[dict[tuple[str, str], Failure]] = [{} for _ in places]
    for fact in read_facts(catalog, _NAME):
        if any(not isinstance(fact.get(name), kind) for name, kind in _KINDS.items()):
            continue
        failure = Failure(**{name: fact[name] for name in _KINDS})
        for number in by_name.get((failure.symbol, failure.timeframe), ()):
            if _meets(failure, places[number]):
                found[number][failure.kind, failure.config_key] = failure
    return found


def _meets(failure: Failure, place: Place) -> bool:
    start, end = place.from_us, place.to_us
    return (end is None or failure.from_us <= end) and (start is None or failure.to_us >= start)
