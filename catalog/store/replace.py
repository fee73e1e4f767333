"""Put another file in the place of catalog.duckdb, whole, whoever is stopped and when."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from catalog.disk import sync
from catalog.errors import CatalogBusyError, StoreError
from catalog.store.paths import is_anew, side_folder

_ASIDE = ".before-rebuild-"


def wal_of(catalog: Path) -> Path:
    """Return the file beside a catalog with what was committed and is not in it yet."""
    return catalog.with_name(catalog.name + ".wal")


def remove_unfinished(made: Path) -> None:
    """Remove a catalog that somebody who was stopped was making, to put it in the place of one."""
    for path in (wal_of(made), made):
        path.unlink(missing_ok=True)


def put_in_place(made: Path, catalog: Path) -> None:
    """
    Let a catalog that is whole, and has no WAL, take the place of another that has none either.

    Raises:
        CatalogBusyError: the other one has a WAL: somebody is writing to it.
        StoreError: it cannot be renamed.
    """
    if wal_of(catalog).exists() or wal_of(made).exists():
        raise CatalogBusyError(
            f"Somebody is writing to {catalog}", hint="Close it there, and try again"
        )
    try:
        sync(made)
        made.replace(catalog)
        sync(catalog.parent or Path())
    except OSError as error:
        raise StoreError(
            f"Cannot put a new catalog in the place of {catalog}: {error.strerror}",
            hint="Check the permissions of its folder",
        ) from error


def keep_aside(catalog: Path) -> Path | None:
    """
    Keep a catalog under another name as well, with its WAL, and return that name.

    It is another name for the same file: the catalog stays where it is until another takes its
    place. One with a WAL goes, and its WAL after it: it is nowhere without what was committed to
    it, and the other one has no WAL that is not its own. None where there is neither.

    Raises:
        StoreError: the folder cannot be written.
    """
    # To the microsecond, so that no two have one name.
    aside = catalog.with_name(f"{catalog.name}{_ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")
    wal = wal_of(catalog)
    kept = aside if catalog.exists() or wal.exists() else None
    try:
        if not wal.exists():
            if kept is not None:
                _name_again(catalog, aside)
        else:
            _name_again(wal, wal_of(aside))
            sync(catalog.parent)
            if catalog.exists():
                catalog.rename(aside)
                sync(catalog.parent)
            wal.unlink(missing_ok=True)
        sync(catalog.parent)
    except OSError as error:
        raise StoreError(
            f"Cannot keep {catalog} as {aside}: {error.strerror}",
            hint="Check the permissions and the space of its folder",
        ) from error
    return kept


def remove_second_names(catalog: Path) -> None:
    """Remove the names that somebody who was stopped gave a catalog that is still in its place."""
    for path in catalog.parent.glob(f"{escape(catalog.name)}{_ASIDE}*"):
        with suppress(OSError):
            if path.samefile(catalog):
                path.unlink()


def say_if_lost(catalog: Path) -> None:
    """Say of a catalog that was made just now if facts or packs of another lie beside it."""
    if is_anew(catalog):
        return
    side = side_folder(catalog)
    known = any((side / f"{name}.jsonl").exists() for name in ("roots", "runs", "prices"))
    if known or any(side.glob("packs/[!.]*.parquet")):
        print(
            f"lost       there was another catalog at {catalog}, and this one is empty; bring back "
            f"what lies in {side} with: catalog rebuild --catalog {catalog}",
            file=sys.stderr,
        )


def _name_again(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError:
        # Not every file system lets a file have two names.
        old.rename(new)
