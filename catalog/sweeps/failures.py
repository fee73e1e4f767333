"""Failures of strategies, kept beside the catalog: no trace tells of them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from catalog.disk import sync
from catalog.errors import StoreError
from catalog.store.journal import append_facts, facts_in, journal_path, read_lines
from catalog.sweeps.places import Place
from catalog.sweeps.ranges import covers_times
from catalog.sweeps.versions import Noted
from catalog.traces.finalize import write_whole, writing_errors

_NAME: Final = "failures"
_TIME: Final = b',"failed_us":'
_FEW: Final = 1_000
"""Lines that are no burden, whatever they say."""
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
    facts = [asdict(failure) for failure in failures]
    if not facts:
        return
    path = journal_path(catalog, _NAME)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with _alone(path):
            append_facts(catalog, _NAME, facts)
        if is_new:
            sync(path.parent)
    except OSError as error:
        raise StoreError(
            f"Cannot write {path}: {error.strerror}", hint="Check the permissions of the folder"
        ) from error


def drop_superseded(catalog: Path) -> None:
    """
    Write what is known anew where most of it is of failures that happened again since.

    Raises:
        CatalogError: it cannot be read or written.
    """
    lines = read_lines(catalog, _NAME)
    if len(lines) < _FEW or 2 * len(_last_lines(lines)) > len(lines):
        return
    path = journal_path(catalog, _NAME)
    with writing_errors(path), _alone(path):
        # Others may have added some, or done this.
        text = b"".join(line + b"\n" for line in _last_lines(read_lines(catalog, _NAME)))
        write_whole(path, lambda temporary: _write(temporary, text))


def _write(temporary: str, text: bytes) -> None:
    Path(temporary).write_bytes(text)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let nobody else add to a file or replace it."""
    while True:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file.fileno(), path):
                yield
                return


def _is_at(descriptor: int, path: Path) -> bool:
    """Say whether an open file is still the one at a path: it may have been replaced."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _last_lines(lines: Iterable[bytes]) -> list[bytes]:
    """Return of each configuration and range the last line, in the order in which they came."""
    last: dict[bytes, bytes] = {}
    for line in lines:
        # What tells them apart stands before the time, as they are written.
        key = line.partition(_TIME)[0]
        if key:
            last.pop(key, None)
            last[key] = line
    return list(last.values())


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
    lines = _last_lines(read_lines(catalog, _NAME))
    said = [f'"symbol":{json.dumps(one)},'.encode() for one in {name[0] for name in by_name}]
    if len(said) == 1:  # The usual case: others' need not be read.
        lines = [line for line in lines if said[0] in line or _TIME not in line]
    for fact in facts_in(lines):
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
