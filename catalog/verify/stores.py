"""Packs, price files, session returns and sweep files: what the catalog keeps beside itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.errors import StoreError
from catalog.metrics.returns import returns_folder
from catalog.prices.bars import Terms, bars_of
from catalog.prices.files import is_whole, paths_in_use, prices_folder, read_bars
from catalog.register.sweeps import kept_sweep
from catalog.statements import statement
from catalog.store.kept import pack_facts, read_kept
from catalog.store.paths import catalog_root, side_folder
from catalog.traces.finalize import short_digest
from catalog.traces.pack import companion, pack_digest
from catalog.traces.source import UNREADABLE
from catalog.traces.unpack import read_packed
from catalog.upkeep.originals import packed_digest
from catalog.upkeep.packs import Known as Packed
from catalog.upkeep.packs import find_orphans, select_traces
from catalog.verify import finding as f
from catalog.verify.finding import Finding, found
from catalog.verify.folders import writer_of

_PROVES_ITSELF: Final = re.compile(r".+_[0-9a-f]{16}")
_SWEEP: Final = re.compile(r"[0-9a-f]{64}\.(yaml|json)")


@dataclass(frozen=True)
class Stores:
    """
    What there is to be, by absolute paths, as the catalog said at one moment.

    `packs` has the numbers of traces in each, `rows` how many rows those that are read from there
    have; `returns` the numbers in each, `prices` the terms, bar count and digest of each series.
    `known_beside` are files that only the facts beside the catalog know: it may have been lost.
    """

    packs: dict[str, dict[str, int]] = field(default_factory=dict)
    rows: dict[str, dict[int, int]] = field(default_factory=dict)
    returns: dict[str, set[int]] = field(default_factory=dict)
    prices: dict[str, tuple[Terms, int, str]] = field(default_factory=dict)
    sweeps: frozenset[str] = frozenset()
    left_over: tuple[str, ...] = ()
    known_beside: frozenset[str] = frozenset()

    def paths(self) -> list[str]:
        """Return the files that can be damaged."""
        return [*self.packs, *self.returns, *self.prices]


def load_stores(con: DuckDBPyConnection, catalog: Path) -> Stores:
    """
    Ask the catalog what it keeps beside itself, and see what else lies there.

    Nobody writes while somebody reads: what no row knows then was left by a writer that is gone.
    """
    root = catalog_root(catalog)
    packs: dict[str, dict[str, int]] = {}
    rows: dict[str, dict[int, int]] = {}
    for path, trace_id, number, count in con.execute(statement("verify_packed")).fetchall():
        packs.setdefault(f"{root}/{path}", {})[trace_id] = number
        if count is not None:
            rows.setdefault(f"{root}/{path}", {})[number] = count
    returns: dict[str, set[int]] = {}
    for path, numbers in con.execute(statement("verify_returns")).fetchall():
        returns[f"{root}/{path}"] = set(numbers)
    prices = {
        f"{root}/{path}": (Terms(symbol, timeframe, zone, label, None), count, digest)
        for path, count, digest, symbol, timeframe, zone, label in con.execute(
            statement("verify_prices")
        ).fetchall()
    }
    sweeps = con.execute(statement("verify_sweeps")).fetchall()
    known = {*returns, *prices}
    in_use = {f"{root}/{path}" for path in paths_in_use(con, catalog)}
    left_over = [os.path.abspath(path) for path in find_orphans(catalog, con)]
    for folder in (returns_folder(catalog), prices_folder(catalog)):
        left_over += [
            path
            for name in _names(folder)
            if name.endswith(".parquet")
            and not name.startswith(".")
            and (path := f"{os.path.abspath(folder)}/{name}") not in known
        ]
    return Stores(
        packs,
        rows,
        returns,
        prices,
        frozenset(digest for (digest,) in sweeps),
        # What says which process wrote it is found among the unfinished files.
        tuple(path for path in left_over if writer_of(os.path.basename(path)) is None),
        frozenset(in_use - known),
    )


def check_presence(stores: Stores, catalog: Path) -> Iterator[Finding]:
    """Yield what is gone, or lies there and belongs to nobody."""
    for pack in stores.packs:
        if not os.path.exists(pack):
            yield found(f.MISSING_PACK, pack, f"{len(stores.packs[pack]):,} traces are in it")
        elif not companion(Path(pack)).exists():
            yield found(f.DAMAGED_PACK, pack, "its companion is gone, so nothing can be unpacked")
        facts = pack_facts(Path(pack))
        if not _is_readable(facts):
            gone = "damaged" if facts.exists() else "gone"
            yield found(f.DAMAGED_FACTS, str(facts), f"what is known of {pack} is {gone}")
    for path in stores.returns:
        if not os.path.exists(path):
            yield found(f.MISSING_RETURNS, path, "daily_returns lacks what it holds")
    for path, (terms, *_) in stores.prices.items():
        if not os.path.exists(path):
            yield found(f.MISSING_PRICES, path, f"{terms.symbol} {terms.timeframe}")
    for path in stores.left_over:
        if path in stores.known_beside:
            detail = "known beside the catalog, not in it"
            yield found(f.LEFT_OVER, path, detail, what_to_do=f.REBUILD)
        else:
            yield found(f.LEFT_OVER, path, "no row of the catalog reads it")
    for digest in sorted(stores.sweeps):
        kept = os.path.abspath(kept_sweep(catalog, digest))
        if not os.path.exists(kept):
            detail = "configurations came from it, and would not be found again"
            yield found(f.MISSING_SWEEP, kept, detail)


def check_store(stores: Stores, path: str, packed: list[Packed] | None) -> Iterator[Finding]:
    """
    Read one of the files that are there, and yield what is wrong with it.

    Args:
        packed: the traces that are read from a pack, to compare their contents too.
    """
    if not os.path.exists(path):
        return
    if path in stores.packs:
        if companion(Path(path)).exists():
            yield from _check_pack(stores, Path(path), packed)
    elif path in stores.returns:
        yield from _check_returns(Path(path), stores.returns[path])
    else:
        yield from _check_prices(Path(path), *stores.prices[path], deep=packed is not None)


def check_sweeps(catalog: Path) -> Iterator[Finding]:
    """Yield the copies of sweep files that are not those that they are named after."""
    folder = side_folder(catalog) / "sweeps"
    for name in sorted(_names(folder)):
        if _SWEEP.fullmatch(name) is None:
            continue
        path = folder / name
        if sha256(path.read_bytes()).hexdigest() != path.stem:
            detail = "its bytes are not those that it is named after"
            yield found(f.DAMAGED_SWEEP, os.path.abspath(path), detail)


def size_of(path: str) -> int:
    """Return the bytes of a file, and of a pack's companion with it."""
    files = (path, str(companion(Path(path)))) if "/packs/" in path else (path,)
    return sum(os.path.getsize(file) for file in files if os.path.exists(file))


def load_packed(con: DuckDBPyConnection, catalog: Path, stores: Stores) -> dict[str, list[Packed]]:
    """Return the traces that are read from each pack."""
    packed: dict[str, list[Packed]] = {path: [] for path in stores.packs}
    for one in select_traces(catalog, con, None) if stores.packs else ():
        if one.pack_path is not None:
            packed[f"{catalog_root(catalog)}/{one.pack_path}"].append(one)
    return packed


_OTHER_BYTES = "its bytes are not those that were written"


def _check_pack(stores: Stores, pack: Path, packed: list[Packed] | None) -> Iterator[Finding]:
    held = len(stores.packs[str(pack)])
    proves_itself = _PROVES_ITSELF.fullmatch(pack.stem) is not None
    if proves_itself and pack.stem[-16:] != pack_digest(pack):
        yield found(f.DAMAGED_PACK, str(pack), f"{_OTHER_BYTES}; {held:,} traces are in it")
        return
    try:
        with pq.ParquetFile(companion(pack), page_checksum_verification=True) as file:
            about = file.read(["trace_id", "trace_number"] if proves_itself else None)
        with pq.ParquetFile(pack, page_checksum_verification=True) as file:
            rows = file.read(["trace_number"] if proves_itself else None)
        ids, own = (about[name].to_pylist() for name in ("trace_id", "trace_number"))
        reads = dict(zip(ids, own, strict=True))
        numbers, counts = np.unique(rows["trace_number"].to_numpy(), return_counts=True)
        lacking = stores.packs[str(pack)].items() - reads.items()
        has = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
        short = [n for n, count in stores.rows.get(str(pack), {}).items() if has.get(n, 0) != count]
        if lacking or short:
            detail = f"{len(lacking) + len(short):,} traces are not in it as the catalog says"
            yield found(f.WRONG_PACK, str(pack), detail)
        elif packed:
            yield from _check_contents(pack, packed)
    except UNREADABLE as error:
        yield found(f.DAMAGED_PACK, str(pack), f"it cannot be read: {_first_line(error)}")


def _check_contents(pack: Path, packed: list[Packed]) -> Iterator[Finding]:
    wanted = {one.trace.trace_id: one for one in packed}
    for entry, read in read_packed(pack, list(wanted)):
        one = wanted[entry["trace_id"]]
        if packed_digest(one, read) != one.content_digest:
            detail = f"trace {one.trace.trace_id}: its content digest is not the catalog's"
            yield found(f.WRONG_PACK, str(pack), detail)


def _check_returns(path: Path, numbers: set[int]) -> Iterator[Finding]:
    proves_itself = _PROVES_ITSELF.fullmatch(path.stem) is not None
    if proves_itself and path.stem[-16:] != short_digest(path):
        yield found(f.DAMAGED_RETURNS, str(path), _OTHER_BYTES)
        return
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read(["return_number"] if proves_itself else None)
    except UNREADABLE as error:
        detail = f"it cannot be read: {_first_line(error)}"
        yield found(f.DAMAGED_RETURNS, str(path), detail)
        return
    if lacking := numbers - set(np.unique(table["return_number"].to_numpy()).tolist()):
        yield found(f.DAMAGED_RETURNS, str(path), f"{len(lacking):,} traces are not in it")


def _check_prices(
    path: Path, terms: Terms, count: int, digest: str, *, deep: bool
) -> Iterator[Finding]:
    whole = is_whole(path)
    if whole is False:
        yield found(f.DAMAGED_PRICES, str(path), f"{_OTHER_BYTES}: {terms.symbol}")
        return
    if whole and not deep:
        return
    try:
        table = read_bars(path)
    except (StoreError, UnicodeDecodeError) as error:
        yield found(f.DAMAGED_PRICES, str(path), _first_line(error))
        return
    bars = bars_of(table, terms)
    if len(bars) != count or bars.digest != digest or bars.file_digest not in path.stem:
        yield found(f.DAMAGED_PRICES, str(path), "its bars are not those that were added")


def _is_readable(facts: Path) -> bool:
    try:
        return read_kept(facts) is not None
    except UnicodeDecodeError:
        return False


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
