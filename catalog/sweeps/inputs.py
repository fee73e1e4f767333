"""
Which bars runs of sweeps handed to strategies: one digest of all columns a run and place.

A trace says the digest of the times and closes that it saw. A strategy may look at highs, volumes
and sessions as well, so runs note beside the catalog what they handed out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.prices.bars import PHASES
from catalog.store.journal import append_facts, read_facts

_NAME: Final = "sweep_bars"
_KINDS: Final = {
    "run_id": str, "symbol": str, "timeframe": str, "from_us": int, "to_us": int, "digest": str,
}  # fmt: skip
_TIMES: Final = ("ts", "known_at", "ts_local", "session_date")
_NUMBERS: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Handed:
    """The bars that a run handed to strategies at a place: their range, and their digest."""

    run_id: str
    symbol: str
    timeframe: str
    from_us: int
    to_us: int
    digest: str


class BarsDigest:
    """
    A digest over all columns of bars that strategies see, in any number of pieces.

    Not over bar numbers: earlier bars that are added to a series change them all.
    """

    def __init__(self) -> None:
        self._digests = [hashlib.sha256() for _ in (*_TIMES, *_NUMBERS, "session")]

    def add(self, bars: Any) -> None:
        """Add rows of a series' file, an Arrow table."""
        for digest, column in zip(self._digests, _columns(bars), strict=True):
            digest.update(np.ascontiguousarray(column).data)

    def hexdigest(self) -> str:
        whole = b"".join(digest.digest() for digest in self._digests)
        return hashlib.sha256(whole).hexdigest()


def bars_digest(bars: Any) -> str:
    """Return the digest of bars, an Arrow table of them, 64 hex digits."""
    digest = BarsDigest()
    digest.add(bars)
    return digest.hexdigest()


def _columns(bars: Any) -> Iterable[Any]:
    for name in _TIMES:
        yield bars[name].to_numpy().astype("datetime64[us]").astype("<i8")
    for name in _NUMBERS:
        # Adding zero turns -0.0 into 0.0.
        yield bars[name].cast("float64").fill_null(np.nan).to_numpy().astype("<f8") + 0.0
    phases = pc.index_in(bars["session"], value_set=pa.array(PHASES))
    yield phases.fill_null(-1).to_numpy().astype("<i4")


def note_handed(catalog: Path, handed: Iterable[Handed]) -> None:
    """
    Note what a run hands out, which is on the disk when this returns.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    append_facts(catalog, _NAME, map(asdict, handed))


def known_handed(
    catalog: Path, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[Handed]]:
    """
    Return what runs handed out, by symbol and timeframe.

    Raises:
        StoreError: the facts beside the catalog cannot be read.
    """
    found: dict[tuple[str, str], list[Handed]] = {name: [] for name in names}
    for fact in read_facts(catalog, _NAME):
        if all(isinstance(fact.get(name), kind) for name, kind in _KINDS.items()):
            one = Handed(**{name: fact[name] for name in _KINDS})
            if (of_name := found.get((one.symbol, one.timeframe))) is not None:
                of_name.append(one)
    return found
