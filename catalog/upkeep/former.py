"""The catalog that another one takes the place of: what only it knows, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from catalog.errors import CatalogBusyError, MigrationError, NotACatalogError, StoreError
from catalog.store.database import as_it_is
from catalog.store.facts import write_missing
from catalog.store.kept import write_missing_pack_facts
from catalog.store.migrations import lacks_migrations
from catalog.store.own import own_objects
from catalog.store.trials import write_missing_trials


@dataclass(frozen=True)
class Former:
    """
    A catalog before it is made anew: why it cannot be read, if so, and what it lacks.

    `lacking` counts, by the name of their journal, facts beside it that its tables do not have;
    `own` are tables and views that people made in it.
    """

    unreadable: str | None
    lacking: dict[str, int] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)


def complete_facts(catalog: Path) -> Former:
    """
    Write what only the old catalog knows beside it, and say what it is like.

    Raises:
        CatalogBusyError: another process has it.
        MigrationError: a newer program made it.
        NotACatalogError: it is a database of something else.
    """
    if not catalog.exists():
        return Former("it is gone")
    if catalog.stat().st_size == 0:
        return Former("it is empty")
    try:
        # For writing, so that its WAL is in it afterwards, and nobody else has it open.
        with as_it_is(catalog, read_only=False) as con:
            _check_version(con, catalog)
            con.execute("checkpoint")
            lacking = write_missing(con, catalog)
            write_missing_trials(con, catalog)
            write_missing_pack_facts(con, catalog)
            own = own_objects(con)
    except (CatalogBusyError, MigrationError, NotACatalogError):
        raise
    except (StoreError, duckdb.Error) as error:
        return Former(str(error).splitlines()[0])
    return Former(None, lacking, own)


def _check_version(con: DuckDBPyConnection, catalog: Path) -> None:
    """Refuse a catalog that a newer program made, which may know what this one does not."""
    try:
        lacks_migrations(con, catalog)
    except MigrationError as error:
        # Whatever else is odd about its migrations, a new one has them right.
        if "newer version" in str(error):
            raise
