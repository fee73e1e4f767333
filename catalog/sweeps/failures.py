"""Failures of strategies, kept beside the catalog: no trace tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from catalog.store.journal import append_facts, read_facts
from catalog.sweeps.places import Place
from catalog.sweeps.ranges import covers_times
from catalog.sweeps.versions import Noted

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


def clean(text: str) -> str:
    """Return a text in one line that can be printed and kept: halves of characters are replaced."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def record_failures(catalog: Path, failures: Iterable[Failure]) -> None:
    """
    Add failures to what is known; they are on the disk when this returns.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    append_facts(catalog, _NAME, map(asdict, failures))


def last_failures(
    catalog: Path, places: Iterable[Place], noted: Mapping[tuple[str, str], Noted]
) -> list[dict[tuple[str, str], Failure]]:
    """
    Return, for each place, the last failure of each configuration over its bars.

    By the kind and the key of the configuration. A failure over fewer bars is none of the place,
    unless all prices are wanted and there were no more when it failed.

    Args:
        noted: of the prices, by symbol and timeframe.

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
        failure = Failure(**{name: fact[name] for name in _KINDS} | {"error": clean(fact["error"])})
        name = failure.symbol, failure.timeframe
        for number in by_name.get(name, ()):
            if _is_of(failure, places[number], noted[name]):
                found[number][failure.kind, failure.config_key] = failure
    return found


def _is_of(failure: Failure, place: Place, noted: Noted) -> bool:
    if covers_times(place, failure.from_us, failure.to_us) is not False:
        return True
    assert place.from_us is not None  # noqa: S101 - else nobody knows
    is_behind = failure.from_us <= place.from_us and failure.to_us in noted.ends
    return is_behind and not place.is_given
