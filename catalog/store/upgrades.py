"""What happens before a catalog that an older program made is brought up to date: a copy of it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from duckdb import DuckDBPyConnection

from catalog.disk import sync
from catalog.errors import StoreError
from catalog.statements import statement
from catalog.store.copying import copy_catalog
from catalog.store.facts import write_missing
from catalog.store.kept import write_missing_pack_facts
from catalog.store.paths import side_folder
from catalog.store.replace import wal_of
from catalog.store.trials import write_missing_trials

KEPT = 3
"""How many copies are kept, the newest ones."""


def backups_folder(catalog: Path) -> Path:
    """Return where copies of a catalog as it was before upgrades lie."""
    return side_folder(catalog) / "backups"


def prepare_upgrade(con: DuckDBPyConnection, catalog: Path) -> Path:
    """
    Copy a catalog as it is, and write beside it what only it knows; return the copy.

    A copy that is there of the catalog as it is now, as of an upgrade that failed, is that one.

    Args:
        con: the catalog, open for writing, and not written to yet.

    Raises:
        StoreError: it cannot be copied: then it is not to be changed either.
    """
    ((version,),) = con.execute(statement("select_schema_version")).fetchall()
    folder = backups_folder(catalog)
    copies = _copies(catalog, version)
    for copy in copies:
        if _is_as(copy, catalog):
            return copy
    made = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    copy = folder / f"{catalog.stem}.schema-{version:04}.{made}{catalog.suffix}"
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy_catalog(catalog, unfinished)
        # By its time a copy is known to be of the catalog as it is, and nothing of it is read.
        time_ns = catalog.stat().st_mtime_ns
        os.utime(unfinished, ns=(time_ns, time_ns))
        # With its WAL first: a copy that has its name is whole.
        if wal_of(unfinished).exists():
            wal_of(unfinished).replace(wal_of(copy))
        unfinished.replace(copy)
        sync(folder)
    except (OSError, StoreError) as error:
        raise StoreError(
            f"The catalog {catalog} was made by an older program, and cannot be copied before it "
            f"is brought up to date: {getattr(error, 'strerror', None) or error}",
            hint="Free some space, or check the permissions of its folder; it is as it was",
        ) from error
    write_missing(con, catalog)
    write_missing_trials(con, catalog)
    write_missing_pack_facts(con, catalog)
    # The first one is of the catalog as the older program left it.
    for other in copies[1:]:
        _remove(other)
    print(
        f"upgrade    {catalog} was made by an older program (schema {version}); "
        f"a copy of it as it was is {copy}",
        file=sys.stderr,
    )
    return copy


def drop_old_copies(catalog: Path) -> None:
    """Keep the newest copies only. It belongs behind an upgrade that succeeded."""
    for copy in _copies(catalog)[:-KEPT]:
        _remove(copy)


def _copies(catalog: Path, version: int | None = None) -> list[Path]:
    """Return the copies of a catalog, of one schema or of all, oldest first."""
    which = "*" if version is None else f"{version:04}"
    pattern = f"{escape(catalog.stem)}.schema-{which}.*{escape(catalog.suffix)}"
    return sorted(
        backups_folder(catalog).glob(pattern),
        key=lambda path: path.name.rsplit(".", 2)[-2 if catalog.suffix else -1],
    )


def _is_as(copy: Path, catalog: Path) -> bool:
    then, now = copy.stat(), catalog.stat()
    same = (then.st_size, then.st_mtime_ns) == (now.st_size, now.st_mtime_ns)
    return same and wal_of(copy).exists() == wal_of(catalog).exists()


def _remove(copy: Path) -> None:
    wal_of(copy).unlink(missing_ok=True)
    copy.unlink(missing_ok=True)
