"""
Copy a catalog, with what lies beside it, to a folder: as it is at one moment.

    lock  ->  catalog.duckdb copied, journals copied, packs and prices linked  ->  lock given back
          ->  what was linked is copied  ->  the copy is opened and counted  ->  it gets its name

Others read meanwhile; writers wait while the lock is held, which packs do not prolong.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.disk import sync
from catalog.errors import CatalogError, StoreError
from catalog.statements import statement
from catalog.store.copying import copy_catalog
from catalog.store.database import as_it_is, held
from catalog.store.paths import side_folder
from catalog.upkeep.backup_folder import (
    check_is_elsewhere,
    check_target,
    put,
    tidy,
    unfinished_folder,
    write_marker,
)
from catalog.upkeep.packs import is_alive

# What can be large, and is never changed once it has its name.
_LARGE: Final = ("packs", "returns", "prices")
_IN_PACKS: Final = ("packs", "returns")
# What is of no use in another place.
_LEFT_OUT: Final = ("lock", "backups")
_STAGED: Final = ".backup"


@dataclass(frozen=True)
class Backup:
    """
    A backup: its folder, how many files it has and their size in bytes, and if packs are in.

    `left_before` says what was done about what a backup that was killed had left there.
    """

    path: Path
    files: int
    size: int
    traces: int
    with_packs: bool
    seconds: float
    left_before: tuple[str, ...] = ()


def backup(
    catalog: Path,
    target: Path,
    *,
    overwrite: bool = False,
    packs: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Backup:
    """
    Copy the catalog and what lies beside it into a folder, which appears whole.

    Args:
        target: the folder; it must not exist, or be empty.
        overwrite: it may be an earlier backup, which the new one takes the place of.
        packs: also copy packs of traces and of session returns.
        progress: called with how many packs and prices were copied, and how many are to be.

    Raises:
        UsageError: the folder is there and is no backup, or one that is in use as a catalog, or
            lies in the catalog's own.
        StoreError: there is no catalog, it cannot be used, or the copy cannot be written.
        CatalogBusyError: another process is writing to it.
    """
    started = time.monotonic()
    if not catalog.exists():
        raise StoreError(f"There is no catalog at {catalog}", hint="Name one with --catalog PATH")
    target = Path(os.path.realpath(target))
    check_is_elsewhere(catalog, target)
    with _disk_errors(target):
        left = tidy(target)
        check_target(catalog, target, overwrite=overwrite)
    unfinished = unfinished_folder(target)
    try:
        with _disk_errors(target):
            unfinished.mkdir(parents=True)
            traces = _fill(catalog, unfinished, packs=packs, progress=progress)
            files = [path for path in unfinished.rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files)
            put(unfinished, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    seconds = time.monotonic() - started
    return Backup(target, len(files), size, traces, packs, seconds, tuple(left))


def _fill(catalog: Path, folder: Path, *, packs: bool, progress: Callable[[int, int], None]) -> int:
    """Copy everything into a folder, check it, and return how many traces the catalog has."""
    copy, side = folder / catalog.name, folder / side_folder(catalog).name
    with ExitStack() as staged:
        with _nobody_writes(catalog), as_it_is(catalog) as con:
            counts = _count(con)
            copy_catalog(catalog, copy)
            later = _copy_small(catalog, side, staged, packs=packs)
        for done, (source, named) in enumerate(later, 1):
            named.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, named)
            progress(done, len(later))
    _check_copy(copy, counts)
    write_marker(folder, catalog, counts)
    return counts.get("trace_file", 0)


@contextmanager
def _nobody_writes(catalog: Path) -> Iterator[None]:
    """Hold the catalog's lock; on a disk that can only be read nobody writes anyway."""
    side = side_folder(catalog)
    if os.access(side if side.exists() else catalog.absolute().parent, os.W_OK):
        with held(catalog):
            yield
    else:
        yield


def _copy_small(
    catalog: Path, side: Path, staged: ExitStack, *, packs: bool
) -> list[tuple[Path, Path]]:
    """
    Copy what lies beside the catalog, and return what is left to copy, from where and to where.

    Large files get a second name until then, so that whoever replaces them deletes only the first.
    """
    own = side_folder(catalog)
    for left in own.glob(f"{_STAGED}.*"):
        if not is_alive(int(left.suffix[1:])):
            shutil.rmtree(left, ignore_errors=True)
    side.mkdir()
    later: list[tuple[Path, Path]] = []
    for path in sorted(own.rglob("*")):
        place = path.relative_to(own)
        top = place.parts[0]
        if (
            top in _LEFT_OUT
            or any(part.startswith(".") for part in place.parts)
            or (top in _IN_PACKS and not packs)
            or not path.is_file()
        ):
            continue
        named = side / place
        if top in _LARGE and (link := _linked(own, path, staged)) is not None:
            later.append((link, named))
        else:
            named.parent.mkdir(parents=True, exist_ok=True)
            _copy(path, named)
    return later


def _linked(own: Path, path: Path, staged: ExitStack) -> Path | None:
    folder = own / f"{_STAGED}.{os.getpid()}"
    link = folder / f"{path.parent.name}_{path.name}"
    try:
        if not folder.exists():
            folder.mkdir()
            staged.callback(shutil.rmtree, folder, ignore_errors=True)
        os.link(path, link)
    except OSError:
        # Not every file system lets a file have two names: it is copied at once.
        return None
    return link


def _copy(source: Path, named: Path) -> None:
    shutil.copy2(source, named)
    sync(named)


def _count(con: DuckDBPyConnection) -> dict[str, int]:
    """Return how many rows each table has."""
    counts = {}
    for (name,) in con.execute(statement("select_tables")).fetchall():
        table = exp.table_(name, db="internal", quoted=True)
        query = exp.select(exp.func("count", exp.Star())).from_(table).sql("duckdb")
        ((counts[name],),) = con.execute(query).fetchall()
    return counts


def _check_copy(copy: Path, counts: dict[str, int]) -> None:
    """Open the copy, take in its WAL, and count its rows."""
    try:
        with as_it_is(copy, read_only=False) as con:
            con.execute("checkpoint")
            same = _count(con) == counts
    except (CatalogError, duckdb.Error) as error:
        raise StoreError(f"The copy cannot be opened: {error}", hint="Try it again") from error
    if not same:
        raise StoreError("The copy has other rows than the catalog", hint="Try it again")


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"Cannot write the backup {target}: {error.strerror or error}",
            hint="Free some space, or check the permissions of the folder",
        ) from error
